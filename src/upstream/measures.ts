/**
 * What the exchanges of one version came to over the last five minutes: exact counts, errors by kind, and how long requests took.
 * A ring of slices of two seconds; a window is a number of whole slices, and so up to two seconds shorter than it is asked for: what happened
 * once has left a window of a minute before a minute is over.
 *
 * Durations are counted in buckets of a bounded relative width: sixteen to each doubling, so that what is read is within 3.2 % of the truth
 * (0.5 µs where that is more). Histograms of one shape add up, which is how a window is read.
 */
import { type FailureKind, failureKinds, type Outcome } from './claim.ts'

const sliceMs = 2_000
const slices = 150
/** Powers of two, in µs: linear below the first, an hour and more in the last bucket. */
const linearBits = 4
const perDoubling = 1 << linearBits
const buckets = (32 - linearBits + 1) * perDoubling
const kinds = failureKinds.length
const longestUs = 2 ** 32 - 1

export interface Measured {
  readonly requests: number
  readonly errors: number
  readonly errorsByKind: Readonly<Record<FailureKind, number>>
  /** In ms; null where nothing was timed. */
  readonly p50: number | null
  readonly p99: number | null
  /** What the p99 is at least, three standard errors of a count allowed to chance. */
  readonly p99Low: number | null
  /** Requests behind the percentiles. */
  readonly timed: number
}

export class Measures {
  /** Which two seconds of the clock each slice is of; -1: none yet. */
  readonly #numbers = new Float64Array(slices).fill(-1)
  readonly #requests = new Uint32Array(slices)
  readonly #errors = new Uint32Array(slices * kinds)
  readonly #durations = new Uint32Array(slices * buckets)
  #number = -1
  #at = 0

  /** `durationMs` below 0 is not timed (streams, tunnels); `now` is monotonic ms. On the hot path. */
  record(outcome: Outcome, durationMs: number, now: number): void {
    if (outcome === 'repeated') return
    const number = Math.floor(now / sliceMs)
    const at = number === this.#number ? this.#at : this.#turn(number)
    this.#requests[at] = (this.#requests[at] ?? 0) + 1
    if (outcome !== 'answered') this.#fail(at, outcome)
    if (durationMs < 0) return
    const bucket = at * buckets + bucketOf(durationMs)
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1
  }

  /** `ages` (ms) are of requests under way: one that has outlasted the p99 of those that ended counts as if it had ended now. */
  measure(windowMs: number, now: number, ages: readonly number[] = []): Measured {
    const { requests, errors, durations } = this.#sum(windowMs, now)
    let timed = total(durations)
    const outlasted = timed === 0 ? 0 : quantile(durations, timed, 0.99)
    for (const age of ages) {
      if (age <= outlasted) continue
      const bucket = bucketOf(age)
      durations[bucket] = (durations[bucket] ?? 0) + 1
      timed += 1
    }
    const at = (share: number) => (timed === 0 ? null : quantile(durations, timed, share))
    const [status = 0, connect = 0, timeout = 0, reset = 0, protocol = 0] = errors
    return {
      requests,
      errors: total(errors),
      errorsByKind: { status, connect, timeout, reset, protocol },
      p50: at(0.5),
      p99: at(0.99),
      p99Low: at(0.99 - chance(0.99, timed)),
      timed,
    }
  }

  /** In ms, of the timed ones of the window together with all `ages` (ms); 0 if there are none. */
  p95Ms(windowMs: number, now: number, ages: readonly number[]): number {
    const { durations } = this.#sum(windowMs, now)
    for (const age of ages) durations[bucketOf(age)] = (durations[bucketOf(age)] ?? 0) + 1
    const timed = total(durations)
    return timed === 0 ? 0 : quantile(durations, timed, 0.95)
  }

  #sum(windowMs: number, now: number) {
    const oldest = Math.min(Math.ceil((now - windowMs) / sliceMs), Math.floor(now / sliceMs))
    const sum = { requests: 0, errors: new Float64Array(kinds), durations: new Float64Array(buckets) }
    for (let at = 0; at < slices; at += 1) {
      const number = this.#numbers[at] ?? -1
      if (number === -1 || number < oldest) continue
      sum.requests += this.#requests[at] ?? 0
      addTo(sum.errors, this.#errors, at)
      addTo(sum.durations, this.#durations, at)
    }
    return sum
  }

  #fail(at: number, kind: FailureKind): void {
    const place = at * kinds + failureKinds.indexOf(kind)
    this.#errors[place] = (this.#errors[place] ?? 0) + 1
  }

  /** The slice of this number, emptied if it was of an earlier round. */
  #turn(number: number): number {
    const at = number % slices
    if (this.#numbers[at] !== number) {
      this.#numbers[at] = number
      this.#requests[at] = 0
      this.#errors.fill(0, at * kinds, (at + 1) * kinds)
      this.#durations.fill(0, at * buckets, (at + 1) * buckets)
    }
    this.#number = number
    this.#at = at
    return at
  }
}

function bucketOf(durationMs: number): number {
  const us = Math.max(0, Math.min(longestUs, Math.round(durationMs * 1_000)))
  if (us < perDoubling) return us
  const doubling = 31 - Math.clz32(us) - linearBits
  return doubling * perDoubling + (us >>> doubling)
}

/** The middle of a bucket, in ms. */
function middleMs(bucket: number): number {
  if (bucket < 2 * perDoubling) return bucket / 1_000
  const doubling = Math.floor(bucket / perDoubling) - 1
  const from = (bucket - doubling * perDoubling) * 2 ** doubling
  return (from + (2 ** doubling - 1) / 2) / 1_000
}

/** Three standard errors of a share that was counted in `count` (binomial): what is further off than that is so once in 740 times. */
function chance(share: number, count: number): number {
  return count === 0 ? 0 : 3 * Math.sqrt((share * (1 - share)) / count)
}

/** The nearest rank. */
function quantile(counts: Float64Array, count: number, share: number): number {
  const rank = Math.max(1, Math.ceil(count * share))
  let seen = 0
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    seen += counts[bucket] ?? 0
    if (seen >= rank) return middleMs(bucket)
  }
  return middleMs(counts.length - 1)
}

function total(counts: Float64Array): number {
  let sum = 0
  for (const count of counts) sum += count
  return sum
}

function addTo(sum: Float64Array, from: Uint32Array, slice: number): void {
  const first = slice * sum.length
  for (let index = 0; index < sum.length; index += 1) sum[index] = (sum[index] ?? 0) + (from[first + index] ?? 0)
}
