/** A stretch of time of one run, and what the requests that were due in it met. Pure. */
import type { Exchange } from '../../test/upgrade/kit/exchange.ts'

export interface Stretch {
  readonly name: string
  /** `performance.now()` */
  readonly from: number
  readonly to: number
}

export interface Figures {
  readonly requests: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** From when a request was due to its end, so that one that had to wait for its turn shows it. Requests that are slow on purpose say nothing. */
export function figuresOf(exchanges: readonly Exchange[], { from, to }: Pick<Stretch, 'from' | 'to'>): Figures {
  const latencies = exchanges
    .filter(({ kind, dueAt }) => kind !== 'slow' && dueAt >= from && dueAt < to)
    .map(({ dueAt, endedAt }) => endedAt - dueAt)
    .sort((a, b) => a - b)
  return { requests: latencies.length, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) }
}

/** Nearest rank; NaN of nothing. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** Of what was answered in it, 0 to 1; NaN if nothing was. */
export function shareOf(version: string, exchanges: readonly Exchange[], { from, to }: Pick<Stretch, 'from' | 'to'>): number {
  const answered = exchanges.flatMap(({ dueAt, outcome }) => (dueAt >= from && dueAt < to && outcome.is === 'ok' ? [outcome.version] : []))
  return answered.filter((each) => each === version).length / answered.length
}
