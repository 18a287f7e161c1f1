/** What v2's requests met in each stretch of time after its first one. Pure. */
import { median } from '../summary.ts'
import { figuresOf } from '../upgrade/stretch.ts'
import { type Counts, isOfV2, type Watched } from './after-upgrade.ts'

/** Seconds after the first request that v2 answered. */
export interface Window {
  readonly from: number
  readonly to: number
}

export interface WindowFigures {
  readonly requests: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** NaN where nothing was asked, or before v2 served. */
  readonly hitRatio: number
}

/** Medians over the upgrades. */
export function figuresIn(upgrades: readonly Watched[], window: Window): WindowFigures {
  const all = upgrades.map((upgrade) => inOne(upgrade, window))
  const of = (pick: (figures: WindowFigures) => number): number => median(all.map(pick))
  return {
    requests: of(({ requests }) => requests),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    hitRatio: of(({ hitRatio }) => hitRatio),
  }
}

/** Of v1, in the last seconds before the order. */
export function figuresBefore(upgrades: readonly Watched[]): WindowFigures {
  const all = upgrades.map(({ exchanges, beganAt, orderedAt }) => figuresOf(exchanges, { from: (beganAt + orderedAt) / 2, to: orderedAt }))
  return {
    requests: median(all.map(({ requests }) => requests)),
    p50Ms: median(all.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(all.map(({ p99Ms }) => p99Ms)),
    hitRatio: Number.NaN,
  }
}

function inOne({ servesAt, exchanges, counts }: Watched, window: Window): WindowFigures {
  const [from, to] = [servesAt + window.from * 1_000, servesAt + window.to * 1_000]
  const mine = window.from < 0 ? exchanges : exchanges.filter(isOfV2)
  return { ...figuresOf(mine, { from, to }), hitRatio: window.from < 0 ? Number.NaN : ratioBetween(counts, from, to) }
}

function ratioBetween(counts: readonly Counts[], from: number, to: number): number {
  const [before, after] = [from, to].map((at) => countsAt(counts, at))
  if (before === undefined || after === undefined) return Number.NaN
  const hits = after.hits - before.hits
  return hits / (hits + after.misses - before.misses)
}

/** Between two looks it grew evenly. */
function countsAt(counts: readonly Counts[], at: number): Counts {
  const next = counts.findIndex((each) => each.at >= at)
  const [earlier, later] = [counts[next - 1] ?? counts.at(-1), counts[next] ?? counts.at(-1)]
  if (earlier === undefined || later === undefined || later.at <= earlier.at) return later ?? { at, hits: 0, misses: 0 }
  const share = (at - earlier.at) / (later.at - earlier.at)
  const between = (pick: (counts: Counts) => number): number => pick(earlier) + (pick(later) - pick(earlier)) * share
  return { at, hits: between(({ hits }) => hits), misses: between(({ misses }) => misses) }
}
