/** The cache's own counts, read at scrape. */
import type { CounterName, GaugeName, Metrics, Sample } from '../telemetry/metrics.ts'
import type { Cache } from './cache.ts'
import type { Gateway } from './gateway/gateway.ts'
import type { Reads } from './gateway/reads.ts'
import type { PushProgress } from './push/pusher.ts'
import type { Tracker } from './tracker.ts'
import type { View } from './view.ts'
import type { WarmState } from './warming.ts'

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

  const ofPushes = (name: GaugeName | CounterName, read: (push: PushProgress) => number) =>
    metrics.collect(name, () =>
      (cache.caching?.views ?? []).flatMap(({ version }) => {
        const push = cache.caching?.pushing.progressOf(version) ?? null
        return push === null ? [] : [sample(version, read(push))]
      }),
    )
  ofPushes('baton_cache_push_lag_seconds', ({ lagMs }) => lagMs / 1_000)
  ofPushes('baton_cache_push_dirty_keys', ({ dirty }) => dirty)
  ofPushes('baton_cache_push_operations_total', ({ acked }) => acked)
  ofPushes('baton_cache_push_resyncs_total', ({ resyncs }) => resyncs)
  ofPushes('baton_cache_push_failures_total', ({ failures }) => failures)

  const ofWarms = (name: GaugeName, read: (warm: WarmState) => number | null) =>
    metrics.collect(name, () =>
      (cache.caching?.views ?? []).flatMap(({ version }) => {
        const warm = cache.caching?.warming.stateOf(version) ?? null
        const value = warm === null ? null : read(warm)
        return value === null ? [] : [sample(version, value)]
      }),
    )
  ofWarms('baton_cache_warm_seconds', ({ progress }) => progress.elapsedMs / 1_000)
  ofWarms('baton_cache_warm_share', ({ share }) => share)
  ofWarms('baton_cache_warm_predicted', ({ progress }) => progress.predicted)

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
