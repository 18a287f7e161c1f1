/** The cache's own counts, read at scrape. */
import type { CounterName, GaugeName, Metrics, Sample } from '../telemetry/metrics.ts'
import type { Cache } from './cache.ts'
import type { Gateway } from './gateway/gateway.ts'
import type { Reads } from './gateway/reads.ts'
import type { Tracker } from './tracker.ts'
import type { View } from './view.ts'

export function collectCacheMetrics(metrics: Metrics, cache: Cache): void {
  const ofViews = (name: GaugeName | CounterName, read: (view: View) => number) =>
    metrics.collect(name, () => (cache.caching?.views ?? []).map((view) => sample(view.version, read(view))))
  ofViews('baton_cache_keys', ({ keys, absentKeys }) => keys + absentKeys)
  ofViews('baton_cache_bytes', ({ bytes }) => bytes)
  ofViews('baton_cache_evictions_total', ({ evictions }) => evictions)

  const ofReads = (name: CounterName, read: (reads: Reads) => number) =>
    metrics.collect(name, () => readsOf(cache).map(({ version, reads }) => sample(version, read(reads))))
  ofReads('baton_cache_hits_total', ({ counts }) => counts.hits)
  ofReads('baton_cache_misses_total', ({ counts }) => counts.misses)
  ofReads('baton_cache_passed_total', ({ counts }) => counts.passed)
  metrics.collectHistogram('baton_cache_age_seconds', () =>
    readsOf(cache).map(({ version, reads }) => ({ labels: { version }, counts: reads.ages, sum: reads.ageSumSeconds })),
  )

  const ofGateways = (name: GaugeName | CounterName, read: (gateway: Gateway) => number) =>
    metrics.collect(name, () => cache.gateways.map((gateway) => sample(gateway.version, read(gateway))))
  ofGateways('baton_cache_clients', ({ clients }) => clients)
  ofGateways('baton_cache_clients_refused_total', ({ refused }) => refused)

  const ofTracker = (name: GaugeName | CounterName, read: (tracker: Tracker) => number) =>
    metrics.collect(name, () => (cache.caching === null ? [] : [{ labels: {}, value: read(cache.caching.tracker) }]))
  ofTracker('baton_cache_live', ({ live }) => Number(live))
  ofTracker('baton_cache_fills_total', ({ counts }) => counts.fills)
  ofTracker('baton_cache_fills_dropped_total', ({ counts }) => counts.fillsDropped)
  ofTracker('baton_cache_kills_total', ({ counts }) => counts.kills)
  ofTracker('baton_cache_flushes_total', ({ counts }) => counts.flushes)
  ofTracker('baton_cache_refreshes_total', ({ counts }) => counts.refreshes)
  ofTracker('baton_cache_refreshes_dropped_total', ({ counts }) => counts.refreshesDropped)
  ofTracker('baton_cache_losses_total', ({ counts }) => counts.losses)
}

function readsOf({ caching }: Cache): readonly { readonly version: string; readonly reads: Reads }[] {
  return (caching?.views ?? []).flatMap(({ version }) => {
    const reads = caching?.readsOf(version) ?? null
    return reads === null ? [] : [{ version, reads }]
  })
}

function sample(version: string, value: number): Sample {
  return { labels: { version }, value }
}
