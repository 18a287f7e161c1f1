/** A version with all that keeps it going: its prober, its name's resolver or its process. */
import { mayReachAt } from '../config/allowed-upstreams.ts'
import type { Bootstrap, VersionSettings } from '../config/settings.ts'
import { Fault } from '../errors.ts'
import type { VersionName } from '../routing/route.ts'
import type { Fields, Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { World } from '../world.ts'
import { type ClaimKind, claimKinds } from './claim.ts'
import type { DrainCount, DrainReport } from './drain-report.ts'
import type { DrainLimits } from './drain-window.ts'
import { type Apps, appName, ManagedProcess } from './managed-process.ts'
import { Prober } from './prober.ts'
import { type Resolution, Resolver } from './resolver.ts'
import { type Actor, type OpenTransport, Version, type VersionWatcher } from './version.ts'

export interface SupervisionParts {
  readonly world: World
  readonly log: Log
  readonly metrics: Metrics
  readonly apps: Apps
  readonly openTransport: OpenTransport
  readonly watcher: VersionWatcher
  /** Between two look-ups of a name. */
  readonly resolveMs: number
}

export class SupervisedVersion {
  readonly version: Version
  readonly process: ManagedProcess | null
  readonly #resolver: Resolver | null
  readonly #prober: Prober
  readonly #parts: SupervisionParts
  #isStopping = false

  /** `wasReady`: it was when a former generation last looked. */
  constructor(name: VersionName, settings: VersionSettings, bootstrap: Bootstrap, wasReady: boolean, parts: SupervisionParts) {
    this.#parts = parts
    const { world, openTransport, watcher } = parts
    const runs = settings.endpoint.is !== 'process' || this.#adoptable(settings.endpoint.process, bootstrap)
    this.version = new Version(name, settings, { world, openTransport, watcher, wasReady: wasReady && runs })
    this.#prober = new Prober(this.version, world, parts.metrics)
    this.process = this.#processOf(name, settings, bootstrap)
    this.#resolver = this.#resolverOf(settings, bootstrap)
    if (settings.endpoint.is === 'unix') this.version.place({ is: 'unix', path: settings.endpoint.path })
  }

  start(): void {
    this.process?.start()
    this.#resolver?.start()
    this.#prober.wake()
  }

  /** An exchange could not reach it: look now rather than at the next interval. */
  suspect(): void {
    this.#prober.suspect()
  }

  /** No new exchange. Resolves when nothing is left, or when it is undone. */
  async drain(by: Actor, limits: DrainLimits): Promise<DrainReport> {
    const { version } = this
    const fault = new Fault('stopping', 'the drain deadline has passed')
    // a drain is told of once, however many wait for it
    if (version.order.is !== 'active') return version.drain(by, limits, fault)
    this.#parts.metrics.set('active_connections_before', version.inFlight.length, version.name)
    const report = await version.drain(by, limits, fault)
    this.#tell(by, report)
    return report
  }

  /** False: it is being stopped, or has been. */
  undrain(): boolean {
    return !this.#isStopping && this.version.undrain()
  }

  /** Drain, then its process, then its connections. It cannot be undone. */
  async stop(by: Actor, limits: DrainLimits): Promise<DrainReport> {
    this.#isStopping = true
    const report = await this.drain(by, limits)
    this.#prober.stop()
    this.#resolver?.stop()
    await this.process?.stop()
    await this.version.close()
    return report
  }

  #tell(by: Actor, { is, before, cut, kinds, tookMs, windowMs }: DrainReport): void {
    const { metrics, log } = this.#parts
    const { name, inFlight } = this.version
    metrics.set('active_connections_after', is === 'done' ? cut : inFlight.length, name)
    for (const kind of claimKinds) if (kinds[kind].cut > 0) metrics.add('graceful_shutdown_failures_total', kinds[kind].cut, name, kind)
    if (is === 'undone') log.info('version.undrained', { version: name, by, before, cut, took_ms: tookMs })
    else log.info('version.drained', { version: name, by, before, cut, took_ms: tookMs, window_ms: windowMs, ...fieldsOf(kinds) })
  }

  #adoptable(name: string, bootstrap: Bootstrap): boolean {
    const settings = bootstrap.processes[name]
    return settings !== undefined && this.#parts.apps.running(appName(name, settings)) !== null
  }

  #processOf(version: VersionName, settings: VersionSettings, bootstrap: Bootstrap): ManagedProcess | null {
    if (settings.endpoint.is !== 'process') return null
    const name = settings.endpoint.process
    const processSettings = bootstrap.processes[name]
    if (processSettings === undefined) return null
    const place = { is: 'tcp', address: '127.0.0.1', port: processSettings.port } as const
    return new ManagedProcess(version, name, processSettings, {
      ...this.#parts,
      watcher: {
        started: (_, adopted) => {
          if (!adopted) this.version.restartHealth()
          this.version.place(place)
          this.#prober.wake()
        },
        exited: (reason) => {
          this.version.lost(`its process ended: ${reason}`)
          // nobody is there to be probed; who answers at that port now is a stranger
          this.version.place(null)
        },
      },
    })
  }

  #resolverOf(settings: VersionSettings, bootstrap: Bootstrap): Resolver | null {
    const { endpoint } = settings
    if (endpoint.is !== 'tcp') return null
    return new Resolver(endpoint.host, {
      world: this.#parts.world,
      periodMs: this.#parts.resolveMs,
      allowed: (address) => mayReachAt(address, endpoint.host, bootstrap.allowUpstreams),
      resolved: (resolution) => this.#resolved(resolution, endpoint.host, endpoint.port),
    })
  }

  #resolved(resolution: Resolution, host: string, port: number): void {
    const { metrics, log } = this.#parts
    const { version } = this
    metrics.add('baton_resolutions_total', 1, version.name, resolution.is)
    if (resolution.is === 'moved') {
      const first = version.endpoint === null
      version.place({ is: 'tcp', address: resolution.address, port })
      if (!first) log.info('version.moved', { version: version.name, host, address: resolution.address })
      this.#prober.wake()
    } else if (resolution.is === 'refused') {
      log.warn('version.address_refused', {
        version: version.name,
        host,
        address: resolution.address,
        hint: 'bootstrap.allowUpstreams does not allow it',
      })
    } else if (resolution.is === 'failed') {
      log.warn('version.unresolved', { version: version.name, host, reason: resolution.reason })
    }
  }
}

/** What was under way, by kind; kinds of which there was nothing are left out. */
function fieldsOf(kinds: Readonly<Record<ClaimKind, DrainCount>>): Fields {
  const of = ({ before, medianMs, oldestMs, ended, asked, cut }: DrainCount) => ({
    before,
    median_ms: medianMs,
    oldest_ms: oldestMs,
    ended,
    asked,
    cut,
  })
  const seen = claimKinds.filter((kind) => kinds[kind].before + kinds[kind].ended + kinds[kind].asked + kinds[kind].cut > 0)
  return Object.fromEntries(seen.map((kind) => [kind, of(kinds[kind])]))
}
