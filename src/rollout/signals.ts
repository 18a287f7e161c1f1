/** Each signal of the new version, judged by its own limits alone: what was seen, what the limit is, and why in words. */
import { formatDuration } from '../config/quantity.ts'
import { errorBounds } from './error-bounds.ts'
import type { CpuUse, Measurements, Traffic } from './measurements.ts'
import type { CpuPolicy, ErrorRatePolicy, LatencyPolicy, Policy, SignalName } from './policy.ts'

/** `absent`: it cannot be known of this version. `inconclusive`: not yet; neither pass nor breach. */
export type Finding = 'pass' | 'breach' | 'inconclusive' | 'absent'

export interface Judged {
  readonly is: Finding
  /** Of `errorRate` and `cpu` a share, of `latency` the p99 in ms. Null: unknown. */
  readonly observed: number | null
  /** In the same unit; null where there is nothing to compare with. */
  readonly limit: number | null
  /** One line for people, with its numbers. */
  readonly why: string
}

export function judge(signal: SignalName, policy: Policy, measurements: Measurements): Judged {
  const judged = judgeWarm(signal, policy, measurements)
  const sinceMs = measurements.at - measurements.stepBeganAt
  if (judged.is === 'absent' || sinceMs >= policy.graceMs) return judged
  return { ...judged, is: 'inconclusive', why: `warming up, ${seconds(sinceMs)} of ${formatDuration(policy.graceMs)}` }
}

function judgeWarm(signal: SignalName, policy: Policy, measurements: Measurements): Judged {
  switch (signal) {
    case 'errorRate':
      return judgeErrorRate(policy.errorRate, measurements)
    case 'latency':
      return judgeLatency(policy.latency, measurements)
    case 'cpu':
      return judgeCpu(policy.cpu, measurements)
  }
}

function judgeErrorRate(policy: ErrorRatePolicy, { candidate, stable, baseline }: Measurements): Judged {
  const { traffic } = candidate
  const reference = [stable.long, baseline].find((known) => known !== null && known.requests >= policy.minRequests) ?? null
  const stableRate = reference === null ? null : errorRate(reference)
  const limitOf = (rate: number) => policy.factor * Math.max(rate, policy.floor)
  const limit = limitOf(stableRate ?? 0)
  const observed = errorRate(traffic)
  if (observed === null || traffic.requests < policy.minRequests) {
    return { is: 'inconclusive', observed, limit, why: `${traffic.requests} of the ${policy.minRequests} requests that a rate needs` }
  }
  const highest = limitOf(reference === null ? 0 : errorBounds(reference).high)
  const found = compare(observed, limit, errorBounds(traffic).low > highest)
  const compared = stableRate === null ? 'stable is not known' : `stable ${percent(stableRate)}`
  return {
    is: found.is,
    observed,
    limit,
    why: `${percent(observed)} of ${traffic.requests} requests failed, ${found.words} ${percent(limit)} (${compared})`,
  }
}

function judgeLatency(policy: LatencyPolicy, { candidate, stable, baseline }: Measurements): Judged {
  const { p99, p99Low = p99, timed } = candidate.traffic
  const reference = [stable.same, baseline].find((known) => isTimed(known, policy)) ?? null
  const limit = reference?.p99 === undefined || reference.p99 === null ? null : reference.p99 + policy.addMs
  if (p99 === null || timed < policy.minRequests) {
    return { is: 'inconclusive', observed: p99, limit, why: `${timed} of the ${policy.minRequests} requests that a p99 needs` }
  }
  if (limit === null) return { is: 'inconclusive', observed: p99, limit, why: `p99 ${ms(p99)}, and nothing of stable to compare it with` }
  const found = compare(p99, limit, (p99Low ?? p99) > limit)
  const compared = `stable ${ms(limit - policy.addMs)}${reference === baseline ? ' before the upgrade' : ''}`
  return { is: found.is, observed: p99, limit, why: `p99 ${ms(p99)}, ${found.words} ${ms(limit)} (${compared})` }
}

/** `isSure`: chance does not explain it. */
function compare(observed: number, limit: number, isSure: boolean): { readonly is: Finding; readonly words: string } {
  if (observed <= limit) return { is: 'pass', words: 'within' }
  return isSure ? { is: 'breach', words: 'above' } : { is: 'pass', words: 'by no more than chance above' }
}

function isTimed(known: Traffic | null, policy: LatencyPolicy): boolean {
  return known !== null && known.p99 !== null && known.timed >= policy.minRequests
}

function judgeCpu(policy: CpuPolicy, { at, stepBeganAt, candidate }: Measurements): Judged {
  const { cpu } = candidate
  const limit = policy.share
  if (cpu === null) return { is: 'absent', observed: null, limit, why: 'the CPU of this version cannot be known' }
  const coveredMs = Math.min(cpu.overMs, at - stepBeganAt)
  const seen = `${percent(cpu.share)} of ${coresText(cpu)}`
  if (coveredMs < policy.forMs) {
    return {
      is: 'inconclusive',
      observed: cpu.share,
      limit,
      why: `${seen}, known for ${seconds(coveredMs)} of ${formatDuration(policy.forMs)}`,
    }
  }
  const isOver = cpu.share > limit
  return {
    is: isOver ? 'breach' : 'pass',
    observed: cpu.share,
    limit,
    why: `${seen} over ${formatDuration(policy.forMs)}, ${isOver ? 'above' : 'within'} ${percent(limit)}`,
  }
}

/** Null where there were no requests. */
export function errorRate({ requests, errors }: Traffic): number | null {
  return requests === 0 ? null : errors / requests
}

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`
}

function ms(value: number): string {
  return `${Number(value.toPrecision(3))}ms`
}

function seconds(value: number): string {
  return `${Math.floor(Math.max(0, value) / 1_000)}s`
}

function coresText({ limitCores }: CpuUse): string {
  return limitCores === 1 ? 'one core' : `${Number(limitCores.toPrecision(3))} cores`
}
