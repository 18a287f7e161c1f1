/** The versions at run time and their counts, as the conductor uses them. */
import type { VersionName } from '../routing/route.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Versions } from '../upstream/versions.ts'
import type { Latency } from './receipt.ts'

/** The versions, as an upgrade moves them. */
export interface VersionControl {
  /** Starts what the roles and the ledger want running, stops what they no longer want. */
  apply(): void
  /** It is there already, whatever its health. */
  runs(name: VersionName): boolean
  isServing(name: VersionName): boolean
  whyNotServing(name: VersionName): string
  /** No new exchange; resolves when nothing is left, or the rest was cut: with how many. */
  drain(name: VersionName): Promise<number>
  undrain(name: VersionName): void
  /** Stops it for good: process, probes, connections. */
  retire(name: VersionName): Promise<void>
  /** Exchanges that the version has ended since baton started. */
  requests(name: VersionName): number
  /** Exchanges of the version that baton could not answer, since it started. */
  failures(name: VersionName): number
  /** Of its requests of the last half a minute; null if there were none. */
  latency(name: VersionName): Latency | null
  /** How often its process has ended by itself. */
  exits(name: VersionName): number
  /** The pid of its process; `host/version` of an external one; null if it does not run. */
  pid(name: VersionName): number | string | null
}

/** A client's own faults say nothing of the version. */
const clientFaults: readonly string[] = ['client-gone', 'client-timeout', 'bad-request', 'body-too-large']

/** `versions` is asked for when it is needed: they come to be after the roles that they follow. */
export function versionControl(versions: () => Versions, metrics: Metrics, apply: () => void): VersionControl {
  return {
    apply,
    runs: (name) => versions().get(name) !== undefined,
    isServing: (name) => versions().get(name)?.serving === true,
    whyNotServing: (name) => whyNotServing(versions(), name),
    drain: async (name) => (await versions().drain(name))?.cut ?? 0,
    undrain: (name) => versions().undrain(name),
    retire: (name) => versions().retire(name),
    requests: (name) => requestsOf(metrics, name),
    failures: (name) => failuresOf(metrics, name),
    latency: (name) => versions().get(name)?.latencyMs() ?? null,
    exits: (name) => versions().supervised(name)?.process?.restarts ?? 0,
    pid: (name) => whoIs(versions(), name),
  }
}

function whoIs(versions: Versions, name: VersionName): number | string | null {
  const supervised = versions.supervised(name)
  if (supervised === undefined) return null
  if (supervised.process !== null) return supervised.process.pid
  const { endpoint } = supervised.version.settings
  return `${endpoint.is === 'tcp' ? endpoint.host : 'localhost'}/${name}`
}

function whyNotServing(versions: Versions, name: VersionName): string {
  const version = versions.get(name)
  if (version === undefined) return `${name} does not run`
  const { probe, order } = version
  if (probe.is === 'not-ready') return `${name} is not ready: ${probe.reason}`
  if (probe.is === 'starting') return `${name} is still starting`
  return order.is === 'active' ? `${name} has no place to connect to` : `${name} is ${order.is}`
}

function requestsOf(metrics: Metrics, name: VersionName): number {
  let total = 0
  for (const series of metrics.allSeries()) if (series.version === name) for (const count of series.requests) total += count
  return total
}

function failuresOf(metrics: Metrics, name: VersionName): number {
  let total = 0
  for (const { labels, value } of metrics.samples('baton_faults_total')) {
    if (labels.version === name && !clientFaults.includes(labels.code ?? '')) total += value
  }
  return total
}
