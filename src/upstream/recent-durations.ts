/** How long the requests of the last half a minute took: three histograms of ten seconds, so that the oldest can be let go of whole. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

const sliceMs = 10_000
const slices = 3
/** Microseconds, to two digits and up to an hour: 25 KB each. */
const range = { lowest: 1, highest: 3_600_000_000, figures: 2 } as const

interface Slice {
  /** Which ten seconds of the clock it is of. */
  number: number
  readonly histogram: RecordableHistogram
}

export class RecentDurations {
  readonly #ring: (Slice | undefined)[] = new Array(slices).fill(undefined)
  #present: Slice | null = null

  /** `now` is monotonic ms. */
  record(durationMs: number, now: number): void {
    const number = Math.floor(now / sliceMs)
    const slice = this.#present?.number === number ? this.#present : this.#turn(number)
    slice.histogram.record(inRange(durationMs))
  }

  /** In ms, of those that are recent at `now` together with `ages` (ms); 0 if there are none. */
  p95Ms(now: number, ages: Iterable<number>): number {
    const recent = this.#recent(now)
    for (const age of ages) recent.record(inRange(age))
    return recent.count === 0 ? 0 : recent.percentile(95) / 1000
  }

  /** In ms, of those that are recent at `now`; null if there are none. */
  latencyMs(now: number): { readonly p50: number; readonly p99: number } | null {
    const recent = this.#recent(now)
    return recent.count === 0 ? null : { p50: recent.percentile(50) / 1000, p99: recent.percentile(99) / 1000 }
  }

  #recent(now: number): RecordableHistogram {
    const merged = createHistogram(range)
    const oldest = Math.floor(now / sliceMs) - slices + 1
    for (const slice of this.#ring) if (slice !== undefined && slice.number >= oldest) merged.add(slice.histogram)
    return merged
  }

  #turn(number: number): Slice {
    const at = number % slices
    const former = this.#ring[at]
    const slice = former ?? { number, histogram: createHistogram(range) }
    if (former !== undefined && former.number !== number) former.histogram.reset()
    slice.number = number
    this.#ring[at] = slice
    this.#present = slice
    return slice
  }
}

/** In whole microseconds; the histogram refuses what is outside. */
function inRange(durationMs: number): number {
  return Math.min(range.highest, Math.max(range.lowest, Math.round(durationMs * 1000)))
}
