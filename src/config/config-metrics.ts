/** What is counted of configurations, and the gauges of the one that runs. */
import type { Metrics } from '../telemetry/metrics.ts'
import type { ConfigRecorder, LiveConfig } from './live.ts'

export function configRecorder(metrics: Metrics): ConfigRecorder {
  return {
    swapped(origin, tookMs) {
      metrics.add('baton_config_swaps_total', 1, origin)
      metrics.stage('apply', tookMs / 1000)
    },
    rejected: (origin, reason) => metrics.add('baton_config_rejected_total', 1, origin, reason),
  }
}

export function collectConfigGauges(metrics: Metrics, live: LiveConfig): void {
  metrics.collect('baton_config_revision', () => [{ labels: {}, value: live.current().revision }])
  metrics.collect('baton_config_stale', () => [{ labels: {}, value: Number(live.status().stale !== null) }])
  metrics.collect('baton_role', () => {
    const { stable, candidate } = live.current().roles
    const of = (role: string, version: string | null) => (version === null ? [] : [{ labels: { role, version }, value: 1 }])
    return [...of('stable', stable), ...of('candidate', candidate)]
  })
}
