/** The gauges of versions, read at scrape. */
import type { GaugeName, Metrics } from '../telemetry/metrics.ts'
import type { SupervisedVersion } from './supervised-version.ts'

export function collectVersionGauges(metrics: Metrics, all: () => readonly SupervisedVersion[]): void {
  const each = (name: GaugeName, read: (supervised: SupervisedVersion) => number) =>
    metrics.collect(name, () => all().map((supervised) => ({ labels: { version: supervised.version.name }, value: read(supervised) })))
  each('baton_in_flight', ({ version }) => version.inFlight.length)
  each('baton_upstream_connections', ({ version }) => version.transport?.connections ?? 0)
  each('baton_version_ready', ({ version }) => Number(version.probe.is === 'ready'))
  each('baton_version_serving', ({ version }) => Number(version.serving))
}
