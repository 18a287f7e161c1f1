/** The one file that knows prom-client: it reads the counts at scrape and adds the process's own figures. */
import type { Metric, MetricValue, Registry } from 'prom-client'
import type { CounterName, GaugeName, HistogramSample, Metrics, Sample } from './metrics.ts'
import { type MetricName, type MetricSpec, metricsTable } from './metrics-table.ts'
import { durationBuckets, methodClasses, type Series, statusClasses } from './series.ts'

export interface Exposition {
  readonly contentType: string
  text(): Promise<string>
  close(): void
}

/** Loads prom-client (about 10 MB) on the first call, so that a baton that nobody scrapes does not carry it. */
export async function createExposition(metrics: Metrics): Promise<Exposition> {
  const { default: prom } = await import('prom-client')
  const registry = new prom.Registry()
  prom.collectDefaultMetrics({ register: registry })
  for (const name of Object.keys(metricsTable) as MetricName[]) register(registry, name, metricsTable[name], metrics)
  return { contentType: registry.contentType, text: () => registry.metrics(), close: () => registry.clear() }
}

/** What prom-client's registry needs of a metric: its `get`. Its own classes would cost 350–500 ns for each count. */
function register(registry: Registry, name: MetricName, spec: MetricSpec, metrics: Metrics): void {
  const get = async () => ({ name, help: spec.help, type: spec.type, aggregator: 'sum', values: valuesOf(name, spec, metrics) })
  registry.registerMetric({ name, get, reset: () => {} } as unknown as Metric)
}

function valuesOf(name: MetricName, spec: MetricSpec, metrics: Metrics): MetricValue<string>[] {
  switch (name) {
    case 'upgrade_duration_seconds':
      return histogram(name, spec.buckets ?? [], metrics.stages())
    case 'baton_request_duration_seconds':
      return histogram(name, durationBuckets, metrics.allSeries().map(durationOf))
    case 'baton_requests_total':
      return metrics.allSeries().flatMap(requestsOf).map(plain)
    case 'baton_received_bytes_total':
      return metrics.allSeries().map((series) => plain({ labels: labelsOf(series), value: series.receivedBytes }))
    case 'baton_sent_bytes_total':
      return metrics.allSeries().map((series) => plain({ labels: labelsOf(series), value: series.sentBytes }))
    case 'baton_cache_age_seconds':
      return histogram(name, spec.buckets ?? [], metrics.histograms(name))
    default:
      return withZero(spec, metrics.samples(name as CounterName | GaugeName)).map(plain)
  }
}

/** A metric without labels is there from the start, so that a rate over it is never missing. */
function withZero(spec: MetricSpec, samples: readonly Sample[]): readonly Sample[] {
  return samples.length === 0 && spec.labels.length === 0 ? [{ labels: {}, value: 0 }] : samples
}

const plain = (sample: Sample): MetricValue<string> => ({ labels: { ...sample.labels }, value: sample.value })
const labelsOf = (series: Series): Record<string, string> => ({ version: series.version, route: series.route })
const durationOf = (series: Series): HistogramSample => ({
  labels: labelsOf(series),
  counts: series.durations,
  sum: series.durationSumSeconds,
})

function requestsOf(series: Series): readonly Sample[] {
  const samples: Sample[] = []
  for (const [methodAt, method] of methodClasses.entries()) {
    for (const [statusAt, status] of statusClasses.entries()) {
      const value = series.requests[methodAt * statusClasses.length + statusAt] ?? 0
      if (value > 0) samples.push({ labels: { ...labelsOf(series), method, status }, value })
    }
  }
  return samples
}

function histogram(name: string, bounds: readonly number[], samples: readonly HistogramSample[]): MetricValue<string>[] {
  return samples.flatMap(({ labels, counts, sum }) => {
    let total = 0
    const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, at) => {
      total += counts[at] ?? 0
      return { metricName: `${name}_bucket`, labels: { ...labels, le: bound === Number.POSITIVE_INFINITY ? '+Inf' : bound }, value: total }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: { ...labels }, value: sum },
      { metricName: `${name}_count`, labels: { ...labels }, value: total },
    ]
  })
}
