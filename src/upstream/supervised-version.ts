/** A version with all that keeps it going: its prober, its name's resolver or its process. */
import type { Bootstrap, VersionSettings } from '../config/settings.ts'
import { Fault } from '../errors.ts'
import type { VersionName } from '../routing/route.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { World } from '../world.ts'
import { allowedAddresses } from './allowed.ts'
import { type Apps, appName, ManagedProcess } from './managed-process.ts'
import { Prober } from './prober.ts'
import { type Resolution, Resolver } from './resolver.ts'
import { type Actor, type ClaimKind, type OpenTransport, Version, type VersionWatcher } from './version.ts'

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

  /** Drain, then its process, then its connections. Resolves with what was cut. */
  async stop(by: Actor, cutAfterMs: number): Promise<Readonly<Record<ClaimKind, number>>> {
    const { version } = this
    const { metrics, log } = this.#parts
    const before = version.inFlight.length
    metrics.set('active_connections_before', before, version.name)
    const cut = await version.drain(by, cutAfterMs, new Fault('stopping', 'the drain deadline has passed'))
    metrics.set('active_connections_after', cut.request + cut.tunnel, version.name)
    for (const kind of ['request', 'tunnel'] as const)
      if (cut[kind] > 0) metrics.add('graceful_shutdown_failures_total', cut[kind], version.name, kind)
    if (before > 0) log.info('version.drained', { version: version.name, by, before, cut: cut.request + cut.tunnel })
    this.#prober.stop()
    this.#resolver?.stop()
    await this.process?.stop()
    await version.close()
    return cut
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
      allowed: allowedAddresses(endpoint.host, bootstrap.allowUpstreams),
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
