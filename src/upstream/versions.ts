/**
 * The versions at run time, kept in step with the configuration. A version whose endpoint is unchanged keeps its connections and its health.
 * One whose endpoint changed is replaced by a successor when that one serves; the former drains. One that is gone drains and is stopped.
 * Invariant: no process is started on a port while a former one holds it; one that is to run on as it is changes its owner instead.
 */
import { createHash } from 'node:crypto'
import type { Bootstrap, Dynamic, VersionSettings } from '../config/settings.ts'
import type { AppExit } from '../keeper/protocol.ts'
import type { VersionName } from '../routing/route.ts'
import type { Claim } from './claim.ts'
import type { DrainReport } from './drain-report.ts'
import type { DrainLimits } from './drain-window.ts'
import { appName } from './managed-process.ts'
import { type Retirement, RetirementFault, retireApp } from './retirement.ts'
import { SupervisedVersion, type SupervisionParts } from './supervised-version.ts'
import type { Endpoint, Transport } from './transport/transport.ts'
import { type TransportSettings, transportSettings } from './transport/transport-settings.ts'
import type { Actor, Version } from './version.ts'

interface Entry {
  readonly key: string
  supervised: SupervisedVersion
}

/** What lies over the configuration: who plays which role, and what was ordered of single versions. */
export interface Wishes {
  readonly stable: VersionName
  readonly candidate: VersionName | null
  /** They run whatever the routes say. */
  readonly kept: readonly VersionName[]
  /** They do not run, whatever the roles and the routes say. */
  readonly retired: readonly VersionName[]
  /** They run and take no exchange. */
  readonly drained: readonly VersionName[]
}

export interface VersionsParts extends Omit<SupervisionParts, 'watcher' | 'openTransport'> {
  openTransport(endpoint: Endpoint, settings: TransportSettings): Transport
  /** Version → key of the endpoint at which a former generation last saw it ready. */
  readonly remembered: Readonly<Record<VersionName, string>>
  /** Called when the set of ready versions changes. */
  remember(ready: Readonly<Record<VersionName, string>>): void
}

export class Versions {
  readonly #parts: VersionsParts
  readonly #entries = new Map<VersionName, Entry>()
  readonly #successors = new Map<VersionName, Entry>()
  /** Those that were taken out, and when they will be gone. */
  readonly #leaving = new Map<SupervisedVersion, Promise<unknown>>()
  #remembered: Readonly<Record<VersionName, string>>
  #applied: { readonly bootstrap: Bootstrap; readonly dynamic: Dynamic } | null = null
  /** Those whose app is being stopped by an order: it is asked once, however often the order is given. */
  readonly #retiring = new Map<VersionName, Promise<void>>()
  #stopped = false

  constructor(parts: VersionsParts) {
    this.#parts = parts
    this.#remembered = parts.remembered
  }

  /** One lookup a request. */
  get(name: VersionName): Version | undefined {
    return this.#entries.get(name)?.supervised.version
  }

  supervised(name: VersionName): SupervisedVersion | undefined {
    return this.#entries.get(name)?.supervised
  }

  /** Those that requests can go to, and those that still drain. */
  all(): readonly SupervisedVersion[] {
    return [...[...this.#entries.values()].map(({ supervised }) => supervised), ...this.#leaving.keys()]
  }

  servingCount(): number {
    let count = 0
    for (const { supervised } of this.#entries.values()) if (supervised.version.serving) count += 1
    return count
  }

  apply(bootstrap: Bootstrap, dynamic: Dynamic, wishes: Wishes = configured(dynamic)): void {
    if (this.#stopped) return
    const former = this.#applied?.dynamic ?? dynamic
    this.#applied = { bootstrap, dynamic }
    this.#renewTransports(former, dynamic)
    const wanted = wantedVersions(dynamic, wishes)
    for (const name of new Set([...this.#entries.keys(), ...this.#successors.keys()])) if (!wanted.has(name)) this.#remove(name)
    for (const [name, settings] of wanted) this.#want(name, settings, bootstrap)
    for (const name of wishes.retired) this.#stopLeftBehind(name, dynamic.versions[name], bootstrap)
    for (const name of wishes.drained) if (this.get(name)?.order.is === 'active') void this.drain(name)
    for (const name of Object.keys(former.versions)) this.#forgetIfDropped(name)
    // what a former generation saw says nothing of a version that comes later
    this.#remembered = {}
  }

  /** No new exchange; it lives on. Resolves when nothing is left, or the rest was cut. */
  async drain(name: VersionName): Promise<DrainReport | null> {
    return (await this.supervised(name)?.drain('operator', this.#dynamic.drain)) ?? null
  }

  undrain(name: VersionName): void {
    this.supervised(name)?.undrain()
  }

  /**
   * Drains it if it was not drained, and stops it for good, an external app too if its version says how. The next `apply` must not want it;
   * one that wants it again before the drain is over takes that back. Of a version that is not there, it looks after what may run of it all
   * the same: a process that a former generation left behind, the external app again. @throws RetirementFault
   */
  retire(name: VersionName): Promise<void> {
    const entry = this.#entries.get(name)
    this.#entries.delete(name)
    if (entry !== undefined) this.#leave(entry.supervised, 'operator', this.#dynamic.drain)
    else if (this.#applied !== null) this.#stopLeftBehind(name, this.#applied.dynamic.versions[name], this.#applied.bootstrap)
    const running = this.#retiring.get(name)
    if (running !== undefined) return running
    const retired = this.#retire(name).finally(() => {
      this.#retiring.delete(name)
      this.#forgetIfDropped(name)
    })
    this.#retiring.set(name, retired)
    return retired
  }

  async #retire(name: VersionName): Promise<void> {
    // taken back and ordered again meanwhile, it drains once more
    for (let left = this.#leavingOf(name); left.length > 0; left = this.#leavingOf(name)) await Promise.all(left)
    if (this.#entries.has(name)) return this.#parts.log.info('version.retirement_undone', { version: name })
    const retirement = this.#retirementOf(name)
    if (retirement === null) return
    if (this.#stopped) throw new RetirementFault(`${name} is not retired by ${retirement.name}: baton stops`)
    await retireApp(retirement, this.#parts)
  }

  #leavingOf(name: VersionName): readonly Promise<unknown>[] {
    return [...this.#leaving].filter(([{ version }]) => version.name === name).map(([, gone]) => gone)
  }

  #retirementOf(version: VersionName): Retirement | null {
    const { bootstrap, dynamic } = this.#applied ?? {}
    const { endpoint, retire: name = null } = dynamic?.versions[version] ?? {}
    if (bootstrap === undefined || endpoint === undefined || name === null) return null
    const settings = bootstrap.retirements[name]
    return settings === undefined ? null : { version, name, settings, endpoint, allowUpstreams: bootstrap.allowUpstreams }
  }

  appsChanged(): void {
    for (const supervised of this.#everyone()) supervised.process?.listed()
  }

  /** By the keeper's name for it. */
  owns(app: string): boolean {
    return this.#everyone().some(({ process }) => process?.app === app)
  }

  /** Those under way at every version. */
  inFlight(): readonly Claim[] {
    return this.all().flatMap(({ version }) => version.inFlight)
  }

  appExited(exit: AppExit): void {
    for (const supervised of this.#everyone()) if (supervised.process?.app === exit.name) supervised.process.exited(exit)
  }

  /** Drains and stops everything; processes included. Exchanges have `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true
    const running = this.#everyone().filter((supervised) => !this.#leaving.has(supervised))
    this.#entries.clear()
    this.#successors.clear()
    for (const supervised of running) this.#leave(supervised, 'stop', { graceMs: 0, deadlineMs })
    await Promise.all(this.#leaving.values())
  }

  /** There is a version only where a configuration has been applied. */
  get #dynamic(): Dynamic {
    if (this.#applied === null) throw new Error('no configuration has been applied')
    return this.#applied.dynamic
  }

  /** Connections are opened with these settings; the former ones end with the exchanges on them. */
  #renewTransports(former: Dynamic, next: Dynamic): void {
    if (JSON.stringify(transportSettings(former)) === JSON.stringify(transportSettings(next))) return
    for (const { version } of this.#everyone()) version.place(version.endpoint)
  }

  #want(name: VersionName, settings: VersionSettings, bootstrap: Bootstrap): void {
    const key = keyOf(settings, bootstrap)
    const present = this.#entries.get(name)
    const successor = this.#successors.get(name)
    if (successor !== undefined && successor.key !== key) this.#dropSuccessor(name, successor)
    if (present === undefined) return this.#add(name, key, settings, bootstrap)
    if (present.key === key) return present.supervised.version.useHealth(settings.health)
    if (successor?.key === key) return successor.supervised.version.useHealth(settings.health)
    // a process that goes on as it is (only how it is stopped has changed) is as ready as it was
    const wasReady = settings.endpoint.is === 'process' && present.supervised.version.serving
    const next: Entry = { key, supervised: this.#create(name, settings, bootstrap, wasReady) }
    if (sharesPort(present.supervised, next.supervised)) return this.#restart(name, present, next)
    this.#successors.set(name, next)
    this.#begin(name, next)
    if (!present.supervised.version.serving) this.#succeed(name)
  }

  #add(name: VersionName, key: string, settings: VersionSettings, bootstrap: Bootstrap): void {
    const entry = { key, supervised: this.#create(name, settings, bootstrap, this.#remembered[name] === key) }
    this.#entries.set(name, entry)
    this.#begin(name, entry)
  }

  /** At once, or when the port of its process is free. A process of the same definition that still runs is taken over. */
  #begin(name: VersionName, entry: Entry): void {
    const { process } = entry.supervised
    const inTheWay: Promise<unknown>[] = []
    for (const [{ process: former }, left] of this.#leaving) {
      if (process === null || former?.port !== process.port || !former.holdsPort) continue
      if (former.app === process.app && former.pid !== null) former.release()
      else inTheWay.push(left)
    }
    if (inTheWay.length === 0) return entry.supervised.start()
    Promise.all(inTheWay).then(() => {
      if (this.#entries.get(name) === entry || this.#successors.get(name) === entry) this.#begin(name, entry)
    })
  }

  #create(name: VersionName, settings: VersionSettings, bootstrap: Bootstrap, wasReady: boolean): SupervisedVersion {
    const watcher = { probeChanged: (version: Version) => this.#probeChanged(name, version) }
    const openTransport = (endpoint: Endpoint) => this.#parts.openTransport(endpoint, transportSettings(this.#dynamic))
    return new SupervisedVersion(name, settings, bootstrap, wasReady, { ...this.#parts, openTransport, watcher })
  }

  #probeChanged(name: VersionName, version: Version): void {
    const { probe } = version
    const fields = { version: name, ...(probe.is === 'not-ready' ? { reason: probe.reason } : {}) }
    if (probe.is === 'not-ready') this.#parts.log.warn('version.not-ready', fields)
    else this.#parts.log.info(`version.${probe.is}`, fields)
    if (version.serving && this.#successors.get(name)?.supervised.version === version) this.#succeed(name)
    if (!this.#stopped) this.#parts.remember(this.#ready())
  }

  #ready(): Readonly<Record<VersionName, string>> {
    const ready = [...this.#entries].filter(([, { supervised }]) => supervised.version.probe.is === 'ready')
    return Object.fromEntries(ready.map(([name, { key }]) => [name, key]))
  }

  /** The successor takes the name in one step; no request finds neither. */
  #succeed(name: VersionName): void {
    const successor = this.#successors.get(name)
    const former = this.#entries.get(name)
    if (successor === undefined) return
    this.#successors.delete(name)
    this.#entries.set(name, successor)
    this.#parts.log.info('version.replaced', { version: name })
    if (former !== undefined) this.#leave(former.supervised, 'configuration', this.#dynamic.drain)
  }

  /** A former generation died before it had stopped the process of a version that was retired. */
  #stopLeftBehind(name: VersionName, settings: VersionSettings | undefined, bootstrap: Bootstrap): void {
    if (settings?.endpoint.is !== 'process') return
    const { process } = settings.endpoint
    const definition = bootstrap.processes[process]
    const app = definition === undefined ? null : appName(process, definition)
    const isOwned = this.#everyone().some((other) => other.process?.app === app)
    if (app === null || isOwned || this.#parts.apps.running(app) === null) return
    this.#parts.log.warn('process.left_behind', { version: name, hint: 'it was retired, and is stopped now' })
    const supervised = this.#create(name, settings, bootstrap, false)
    supervised.start()
    this.#leave(supervised, 'operator', { graceMs: 0, deadlineMs: 0 })
  }

  /** Both processes want one port: the former has to end before the next can begin, unless they are the same one. */
  #restart(name: VersionName, former: Entry, next: Entry): void {
    if (former.supervised.process?.app !== next.supervised.process?.app) {
      this.#parts.log.warn('version.restarting', {
        version: name,
        hint: 'its process changed but not its port, so the former one is stopped first',
      })
    }
    this.#entries.set(name, next)
    this.#leave(former.supervised, 'configuration', this.#dynamic.drain)
    this.#begin(name, next)
  }

  #dropSuccessor(name: VersionName, successor: Entry): void {
    this.#successors.delete(name)
    this.#leave(successor.supervised, 'configuration', this.#dynamic.drain)
  }

  #remove(name: VersionName): void {
    const successor = this.#successors.get(name)
    if (successor !== undefined) this.#dropSuccessor(name, successor)
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    this.#parts.remember(this.#ready())
    this.#leave(entry.supervised, 'configuration', this.#dynamic.drain).then(() => {
      if (!this.#entries.has(name)) this.#parts.metrics.forget(name)
    })
  }

  #leave(supervised: SupervisedVersion, by: Actor, limits: DrainLimits): Promise<unknown> {
    const left = supervised.stop(by, limits).finally(() => {
      this.#leaving.delete(supervised)
      this.#forgetIfDropped(supervised.version.name)
    })
    this.#leaving.set(supervised, left)
    return left
  }

  /** Its counts go once it is neither configured nor still doing anything that is counted; one that was retired keeps them till then. */
  #forgetIfDropped(name: VersionName): void {
    if (this.#applied?.dynamic.versions[name] !== undefined || this.#entries.has(name) || this.#retiring.has(name)) return
    if ([...this.#leaving.keys()].some(({ version }) => version.name === name)) return
    this.#parts.metrics.forget(name)
  }

  #everyone(): readonly SupervisedVersion[] {
    return [...this.all(), ...[...this.#successors.values()].map(({ supervised }) => supervised)]
  }
}

/** What a configuration wishes where nothing else owns the roles. */
function configured({ stable, candidate }: Dynamic): Wishes {
  return { stable, candidate, kept: [], retired: [], drained: [] }
}

/** An external version is watched as soon as it is configured; a process runs only while something can send it a request. */
function wantedVersions(dynamic: Dynamic, wishes: Wishes): Map<VersionName, VersionSettings> {
  const { stable, candidate, kept, retired } = wishes
  const named = new Set<string>([stable, ...kept])
  if (candidate !== null) named.add(candidate)
  for (const { action, fallback } of dynamic.routes) {
    if (fallback !== null) named.add(fallback)
    for (const target of 'to' in action ? [action.to] : Object.keys(action.split)) named.add(target)
  }
  const runs = ([name, { endpoint }]: [VersionName, VersionSettings]) =>
    !retired.includes(name) && (endpoint.is !== 'process' || named.has(name))
  return new Map(Object.entries(dynamic.versions).filter(runs))
}

/** What makes two endpoints the same one. */
function keyOf(settings: VersionSettings, bootstrap: Bootstrap): string {
  const { endpoint } = settings
  const depends =
    endpoint.is === 'process' ? bootstrap.processes[endpoint.process] : endpoint.is === 'tcp' ? bootstrap.allowUpstreams : null
  return createHash('sha256')
    .update(JSON.stringify([endpoint, depends]))
    .digest('hex')
    .slice(0, 16)
}

function sharesPort(former: SupervisedVersion, next: SupervisedVersion): boolean {
  return former.process !== null && next.process !== null && former.process.port === next.process.port
}
