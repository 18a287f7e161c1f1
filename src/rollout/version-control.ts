/** The versions at run time and their counts, as the conductor uses them. */
import type { VersionName } from '../routing/route.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { ProcessCpu } from '../upstream/process-cpu.ts'
import type { Version } from '../upstream/version.ts'
import type { Versions } from '../upstream/versions.ts'
import type { World } from '../world.ts'
import type { CpuUse, Traffic } from './measurements.ts'
import type { Latency } from './receipt.ts'
import type { Pid } from './upgrade.ts'

/** The versions, as an upgrade moves them. */
export interface VersionControl {
  /** Starts what the roles and the ledger want running, stops what they no longer want. */
  apply(): void
  /** It is there already, whatever its health. */
  runs(name: VersionName): boolean
  isServing(name: VersionName): boolean
  /** Its probes pass, whatever was ordered of it. */
  isReady(name: VersionName): boolean
  whyNotServing(name: VersionName): string
  /** No new exchange; resolves when nothing is left, or the rest was cut. */
  drain(name: VersionName): Promise<void>
  undrain(name: VersionName): void
  /** Stops it for good: process, probes, connections. */
  retire(name: VersionName): Promise<void>
  /** Exchanges that the version has ended since baton started. */
  requests(name: VersionName): number
  /** Exchanges of the version that baton could not answer, since it started; null: of those that came to no version. */
  failures(name: VersionName | null): number
  /** Exchanges of the version that a drain had to cut, since baton started: they are among its failures. */
  cuts(name: VersionName): number
  /** Of its requests of the last half a minute; null if there were none. */
  latency(name: VersionName): Latency | null
  /** What its exchanges of the last `windowMs` came to. */
  traffic(name: VersionName, windowMs: number): Traffic
  /** Of its managed process over the last `windowMs`; null where it cannot be known. Only while it is sampled. */
  cpu(name: VersionName, windowMs: number): CpuUse | null
  /** From now the CPU of these is sampled, of others no longer. */
  sampleCpu(names: readonly VersionName[]): void
  /** For how long its probes have not passed; 0 of a ready one. */
  notReadyMs(name: VersionName): number
  /** How often its process has ended by itself. */
  exits(name: VersionName): number
  /** The pid of its process; `host/version` of an external one; null if it does not run. */
  pid(name: VersionName): Pid | null
}

/** A client's own faults say nothing of the version. */
const clientFaults: readonly string[] = ['client-gone', 'client-timeout', 'bad-request', 'body-too-large']

/** `versions` is asked for when it is needed: they come to be after the roles that they follow. */
export function versionControl(versions: () => Versions, metrics: Metrics, world: World, apply: () => void): VersionControl {
  const samplers = new Map<VersionName, ProcessCpu>()
  return {
    apply,
    runs: (name) => versions().get(name) !== undefined,
    isServing: (name) => versions().get(name)?.serving === true,
    isReady: (name) => versions().get(name)?.probe.is === 'ready',
    whyNotServing: (name) => whyNotServing(versions(), name),
    drain: async (name) => void (await versions().drain(name)),
    undrain: (name) => versions().undrain(name),
    retire: (name) => versions().retire(name),
    requests: (name) => requestsOf(metrics, name),
    failures: (name) => failuresOf(metrics, name),
    cuts: (name) => cutsOf(metrics, name),
    latency: (name) => versions().get(name)?.latencyMs() ?? null,
    traffic: (name, windowMs) => trafficOf(versions(), name, windowMs),
    cpu: (name, windowMs) => cpuOf(samplers.get(name) ?? null, versions().get(name), windowMs),
    sampleCpu: (names) => sample(samplers, names, versions, world),
    notReadyMs: (name) => notReadyMs(versions().get(name), world.now()),
    exits: (name) => versions().supervised(name)?.process?.restarts ?? 0,
    pid: (name) => whoIs(versions(), name),
  }
}

const nothing: Traffic = { requests: 0, errors: 0, p50: null, p99: null, timed: 0, inFlight: 0 }

function trafficOf(versions: Versions, name: VersionName, windowMs: number): Traffic {
  const measured = versions.get(name)?.measure(windowMs)
  if (measured === undefined) return nothing
  const { requests, errors, p50, p99, p99Low, timed, inFlight } = measured
  return { requests, errors, p50, p99, p99Low, timed, inFlight }
}

function cpuOf(sampler: ProcessCpu | null, version: Version | undefined, windowMs: number): CpuUse | null {
  const use = sampler?.use(windowMs) ?? null
  if (use === null || version === undefined) return null
  const { requests } = version.measure(use.overMs)
  const { share, overMs, limitCores, usedMs } = use
  return { share, overMs, limitCores, perRequestMs: requests === 0 ? null : usedMs / requests }
}

function sample(samplers: Map<VersionName, ProcessCpu>, names: readonly VersionName[], versions: () => Versions, world: World): void {
  for (const [name, sampler] of samplers) {
    if (names.includes(name)) continue
    sampler.stop()
    samplers.delete(name)
  }
  for (const name of names) {
    if (samplers.has(name)) continue
    const sampler = new ProcessCpu(world, () => versions().supervised(name)?.process?.pid ?? null)
    samplers.set(name, sampler)
    sampler.start()
  }
}

function notReadyMs(version: Version | undefined, now: number): number {
  if (version === undefined || version.probe.is === 'ready') return 0
  return Math.max(0, now - version.probe.since)
}

function whoIs(versions: Versions, name: VersionName): Pid | null {
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

function failuresOf(metrics: Metrics, name: VersionName | null): number {
  let total = 0
  for (const { labels, value } of metrics.samples('baton_faults_total')) {
    if (labels.version === (name ?? '-') && !clientFaults.includes(labels.code ?? '')) total += value
  }
  return total
}

function cutsOf(metrics: Metrics, name: VersionName): number {
  let total = 0
  for (const { labels, value } of metrics.samples('graceful_shutdown_failures_total')) if (labels.version === name) total += value
  return total
}
