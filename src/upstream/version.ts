/**
 * A version at run time. Two axes that never overwrite each other: what the probes say (`Probe`) and what was ordered (`Order`).
 *
 *   active ──drain──► draining ──nothing left, or the deadline──► drained
 *
 * Invariant: `serving` is true exactly while it is ready, active and has a place to connect to; only `#settle…` writes it.
 * Choosing a version and counting the exchange is `claim`, one synchronous call: that is why a drain sees every exchange.
 */
import type { HealthSettings, VersionSettings } from '../config/settings.ts'
import type { Fault } from '../errors.ts'
import type { VersionName } from '../routing/route.ts'
import type { World } from '../world.ts'
import { afterProbe, type Health, isUndecided, notReady, type Outcome, type Probe, starting, trusted } from './health.ts'
import type { Endpoint, Transport } from './transport/transport.ts'

/** Whose order it was. */
export type Actor = 'configuration' | 'stop'

export type Order =
  | { readonly is: 'active' }
  | { readonly is: 'draining'; readonly by: Actor; readonly deadline: number }
  | { readonly is: 'drained'; readonly by: Actor; readonly cut: number }

export type ClaimKind = 'request' | 'tunnel'

/** One attempt of an exchange at this version. The version keeps `slot`; nobody else writes it. */
export interface Claim {
  slot: number
  readonly kind: ClaimKind
  /** The drain's deadline has passed. */
  cut(fault: Fault): void
  /** Ends it if one of its own deadlines has passed at `now` (monotonic ms). */
  check(now: number): void
}

export interface VersionWatcher {
  probeChanged(version: Version, before: Probe): void
}

export type OpenTransport = (endpoint: Endpoint) => Transport

export class Version {
  readonly name: VersionName
  readonly settings: VersionSettings
  readonly inFlight: Claim[] = []
  /** Read on each request. */
  serving = false
  transport: Transport | null = null
  endpoint: Endpoint | null = null

  readonly #world: World
  readonly #openTransport: OpenTransport
  readonly #watcher: VersionWatcher
  #health: Health
  #order: Order = { is: 'active' }
  #healthSettings: HealthSettings
  #failuresInARow = 0
  #whenEmpty: (() => void) | null = null
  #drained: Promise<Readonly<Record<ClaimKind, number>>> | null = null

  /** `wasReady`: known from before a restart; trusted until the next probe says otherwise. */
  constructor(
    name: VersionName,
    settings: VersionSettings,
    parts: { world: World; openTransport: OpenTransport; watcher: VersionWatcher; wasReady: boolean },
  ) {
    this.name = name
    this.settings = settings
    this.#healthSettings = settings.health
    this.#world = parts.world
    this.#openTransport = parts.openTransport
    this.#watcher = parts.watcher
    this.#health = parts.wasReady ? trusted(parts.world.now()) : starting(parts.world.now())
  }

  get probe(): Probe {
    return this.#health.probe
  }
  get order(): Order {
    return this.#order
  }
  get health(): HealthSettings {
    return this.#healthSettings
  }
  get undecided(): boolean {
    return isUndecided(this.#health)
  }

  /** Thresholds and intervals can change without a new version. */
  useHealth(settings: HealthSettings): void {
    this.#healthSettings = settings
  }

  /** Counts the attempt. Only on a version that serves. */
  claim(claim: Claim): void {
    claim.slot = this.inFlight.length
    this.inFlight.push(claim)
  }

  /** The attempt is over. Calling it again for the same attempt does nothing. */
  settle(claim: Claim): void {
    const slot = claim.slot
    if (slot === -1) return
    const last = this.inFlight.pop()
    if (last !== undefined && last !== claim) {
      this.inFlight[slot] = last
      last.slot = slot
    }
    claim.slot = -1
    if (this.inFlight.length === 0) this.#whenEmpty?.()
  }

  /** Where the app is now. Connections to a former place end with the exchanges on them. */
  place(endpoint: Endpoint | null): void {
    const former = this.transport
    this.endpoint = endpoint
    this.transport = endpoint === null ? null : this.#openTransport(endpoint)
    former?.close().catch(() => former.destroy())
    this.#settleServing()
  }

  /** Its process is a new one, or it moved. */
  restartHealth(): void {
    this.#setHealth(starting(this.#world.now()))
  }

  probed(outcome: Outcome): void {
    this.#setHealth(afterProbe(this.#health, outcome, this.#healthSettings, this.#world.now()))
  }

  /** An exchange found it answering. */
  answered(): void {
    this.#failuresInARow = 0
  }

  /** An exchange found it failing to answer. `isLast`: nothing else serves, so it is never taken out for this. */
  failed(reason: string, isLast: boolean): void {
    this.#failuresInARow += 1
    const limit = this.#healthSettings.passiveFailures
    if (limit === 0 || this.#failuresInARow < limit || isLast || this.#health.probe.is !== 'ready') return
    this.#failuresInARow = 0
    this.#setHealth(notReady(`${limit} exchanges in a row failed: ${reason}`, this.#world.now()))
  }

  /** Its process ended. */
  lost(reason: string): void {
    this.#setHealth(notReady(reason, this.#world.now()))
  }

  /**
   * No new exchange; those under way end on their own, or are cut by `cutAt` (ms from now).
   * Resolves with how many were cut, by kind. A second call waits for the first drain.
   */
  drain(by: Actor, cutAfterMs: number, fault: Fault): Promise<Readonly<Record<ClaimKind, number>>> {
    this.#drained ??= this.#drain(by, cutAfterMs, fault)
    return this.#drained
  }

  async #drain(by: Actor, cutAfterMs: number, fault: Fault): Promise<Readonly<Record<ClaimKind, number>>> {
    this.#order = { is: 'draining', by, deadline: this.#world.now() + cutAfterMs }
    this.#settleServing()
    if (this.inFlight.length > 0) await this.#emptyOr(cutAfterMs)
    const cut = { request: 0, tunnel: 0 }
    for (const claim of [...this.inFlight]) {
      cut[claim.kind] += 1
      claim.cut(fault)
    }
    this.#order = { is: 'drained', by, cut: cut.request + cut.tunnel }
    return cut
  }

  /** After the drain. */
  async close(): Promise<void> {
    const transport = this.transport
    this.transport = null
    this.#settleServing()
    transport?.destroy()
  }

  #emptyOr(cutAfterMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#world.after(cutAfterMs, resolve)
      this.#whenEmpty = () => {
        timer.cancel()
        this.#whenEmpty = null
        resolve()
      }
    })
  }

  #setHealth(health: Health): void {
    const before = this.#health.probe
    this.#health = health
    this.#settleServing()
    if (before.is !== health.probe.is) this.#watcher.probeChanged(this, before)
  }

  #settleServing(): void {
    this.serving = this.#health.probe.is === 'ready' && this.#order.is === 'active' && this.transport !== null
  }
}
