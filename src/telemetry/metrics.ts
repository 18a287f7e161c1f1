/** What is counted, between the parts that count and the exposition that reads. No vendor here. */
import { type MetricName, metricsTable } from './metrics-table.ts'
import { Series } from './series.ts'

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>
  /** One a bucket and one above the last bound; not cumulative. */
  readonly counts: ArrayLike<number>
  readonly sum: number
}

type NameOf<Type extends string> = { [Name in MetricName]: (typeof metricsTable)[Name]['type'] extends Type ? Name : never }[MetricName]
export type CounterName = NameOf<'counter'>
export type GaugeName = NameOf<'gauge'>
export type HistogramName = NameOf<'histogram'>

interface Cell {
  readonly labels: Readonly<Record<string, string>>
  value: number
}

const noRoute = '-'

export class Metrics {
  readonly #cells = new Map<MetricName, Map<string, Cell>>()
  readonly #collected = new Map<GaugeName | CounterName, () => readonly Sample[]>()
  readonly #histograms = new Map<HistogramName, () => readonly HistogramSample[]>()
  readonly #stages = new Map<string, { counts: Float64Array; sum: number }>()
  readonly #series = new Map<string, Map<string, Series>>()

  /** Adds to a counter. Label values come in the table's order. Not for the hot path of a good exchange: that is `series`. */
  add(name: CounterName, by: number, ...labelValues: readonly string[]): void {
    this.#cell(name, labelValues).value += by
  }

  /** Sets a gauge that is written rather than read at scrape. */
  set(name: GaugeName, value: number, ...labelValues: readonly string[]): void {
    this.#cell(name, labelValues).value = value
  }

  /** What is read at scrape: a gauge, or a counter that is counted elsewhere. */
  collect(name: GaugeName | CounterName, read: () => readonly Sample[]): void {
    this.#collected.set(name, read)
  }

  /** A histogram that is counted elsewhere, and read at scrape. */
  collectHistogram(name: HistogramName, read: () => readonly HistogramSample[]): void {
    this.#histograms.set(name, read)
  }

  /** One duration of a stage (`upgrade_duration_seconds`). */
  stage(stage: string, seconds: number): void {
    const bounds = metricsTable.upgrade_duration_seconds.buckets
    const found = this.#stages.get(stage) ?? { counts: new Float64Array(bounds.length + 1), sum: 0 }
    this.#stages.set(stage, found)
    const above = bounds.findIndex((bound) => seconds <= bound)
    const at = above === -1 ? bounds.length : above
    found.counts[at] = (found.counts[at] ?? 0) + 1
    found.sum += seconds
  }

  /** The counts of a version on a route; the same object each time. */
  series(version: string, route: string | null): Series {
    let routes = this.#series.get(version)
    if (routes === undefined) {
      routes = new Map()
      this.#series.set(version, routes)
    }
    const name = route ?? noRoute
    let series = routes.get(name)
    if (series === undefined) {
      series = new Series(version, name)
      routes.set(name, series)
    }
    return series
  }

  /** A version that is no longer configured takes its labels with it. */
  forget(version: string): void {
    this.#series.delete(version)
    for (const cells of this.#cells.values()) {
      for (const [key, { labels }] of cells) if (labels.version === version || labels.next === version) cells.delete(key)
    }
  }

  allSeries(): readonly Series[] {
    return [...this.#series.values()].flatMap((routes) => [...routes.values()])
  }

  /** Written counters and gauges, and collected gauges. Those that the series carry are not here. */
  samples(name: CounterName | GaugeName): readonly Sample[] {
    const read = this.#collected.get(name)
    return read === undefined ? [...(this.#cells.get(name)?.values() ?? [])] : read()
  }

  histograms(name: HistogramName): readonly HistogramSample[] {
    return this.#histograms.get(name)?.() ?? []
  }

  stages(): readonly HistogramSample[] {
    return [...this.#stages].map(([stage, { counts, sum }]) => ({ labels: { stage }, counts, sum }))
  }

  #cell(name: MetricName, labelValues: readonly string[]): Cell {
    let cells = this.#cells.get(name)
    if (cells === undefined) {
      cells = new Map()
      this.#cells.set(name, cells)
    }
    const key = labelValues.join('\u0000')
    let cell = cells.get(key)
    if (cell === undefined) {
      const names: readonly string[] = metricsTable[name].labels
      cell = { labels: Object.fromEntries(names.map((label, at) => [label, labelValues[at] ?? ''])), value: 0 }
      cells.set(key, cell)
    }
    return cell
  }
}
