/** The data plane in this process: real sockets on both sides, versions of a configuration, and the world of the test's choice. */
import net from 'node:net'
import { compileSnapshot } from '../../src/config/compile.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { Snapshot } from '../../src/config/snapshot.ts'
import { DataPlane } from '../../src/proxy/data-plane.ts'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import type { Apps } from '../../src/upstream/managed-process.ts'
import { createUndiciTransport } from '../../src/upstream/transport/undici.ts'
import { Versions } from '../../src/upstream/versions.ts'
import type { World } from '../../src/world.ts'
import { until } from './turns.ts'

export interface RunningPlane extends AsyncDisposable {
  readonly port: number
  readonly metrics: Metrics
  readonly versions: Versions
  readonly plane: DataPlane
  readonly records: LogRecord[]
  /** Access log lines. */
  readonly lines: string[]
  /** Swaps another configuration in. */
  swap(config: unknown): void
  /** The same, of a configuration that was compiled elsewhere. */
  take(snapshot: Snapshot): void
  /** Exchanges under way, over all versions. */
  inFlight(): number
}

const noApps: Apps = { running: () => null, start: () => {}, signal: () => {} }

/** `config` is the dynamic half, and `bootstrap` if need be. Resolves when every version serves. */
export async function runPlane(world: World, config: unknown): Promise<RunningPlane> {
  let snapshot = snapshotOf(config, 1)
  const records: LogRecord[] = []
  const lines: string[] = []
  const log = createLog(world, 'debug', [(record) => void records.push(record)])
  const metrics = new Metrics()
  const versions = new Versions({
    world,
    log,
    metrics,
    apps: noApps,
    openTransport: createUndiciTransport,
    resolveMs: 5_000,
    remembered: {},
    remember: () => {},
  })
  const live = { current: () => snapshot }
  const plane = new DataPlane({ world, log, metrics, live, versions, write: (text) => lines.push(text) > 0 })
  const take = (next: Snapshot): void => {
    snapshot = next
    versions.apply(snapshot.bootstrap, snapshot.dynamic)
    plane.follow(snapshot)
  }
  take(snapshot)
  // the fd is the listener's from here, which closes it; `bound` is not closed as well
  const bound = new net.BoundSocket({ host: '127.0.0.1', port: 0 })
  const { port } = bound.address() as net.AddressInfo
  await plane.start(bound.fd())
  await until(() => versions.all().every(({ version }) => version.serving), 'every version serves')
  return {
    port,
    metrics,
    versions,
    plane,
    records,
    lines,
    swap: (next) => take(snapshotOf(next, snapshot.revision + 1)),
    take,
    inFlight: () => versions.inFlight().length,
    async [Symbol.asyncDispose]() {
      await versions.stop(0)
      await plane.close()
    },
  }
}

function snapshotOf(config: unknown, revision: number): Snapshot {
  const options = { folder: '/', workingFolder: '/', stateOverride: undefined }
  const parsed = parseConfig(JSON.stringify(config), 'test', options)
  return compileSnapshot(parsed.bootstrap, parsed.dynamic, revision)
}

/** The shortest way to one version on a port; TCP probes, ready after one. */
export function oneVersion(port: number, more: Readonly<Record<string, unknown>> = {}): unknown {
  return { ...versionsOf({ v1: port }), ...more }
}

/** Versions by name and port; the first is stable. */
export function versionsOf(ports: Readonly<Record<string, number>>): Readonly<Record<string, unknown>> {
  const health = { tcp: true, successThreshold: 1 }
  const versions = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, { url: `http://127.0.0.1:${port}` }]))
  return { versions, health, stable: Object.keys(ports)[0] }
}
