/**
 * A version at run time. Two axes that never overwrite each other: what the probes say (`Probe`) and what was ordered (`Order`).
 *
 *   active ──drain──► draining ──nothing left, or the deadline──► drained
 *     ▲                  │undrain                                    │undrain, until it is closed
 *     └──────────────────┴───────────────────────────────────────────┘
 *
 * Invariant: `serving` is true exactly while it is ready, active and has a place to connect to; only `#settle…` writes it.
 * Choosing a version and counting the exchange is `claim`, one synchronous call: that is why a drain sees every exchange.
 */
import type { HealthSettings, VersionSettings } from '../config/settings.ts'
import type { Fault } from '../errors.ts'
import type { VersionName } from '../routing/route.ts'
import type { World } from '../world.ts'
import type { Claim } from './claim.ts'
import { Drain } from './drain.ts'
import type { DrainReport } from './drain-report.ts'
import { type DrainLimits, requestWindowMs } from './drain-window.ts'
import { afterProbe, type Health, isUndecided, notReady, type Outcome, type Probe, starting, trusted } from './health.ts'
import { RecentDurations } from './recent-durations.ts'
import type { Endpoint, Transport } from './transport/transport.ts'

/** Whose order it was. */
export type Actor = 'configuration' | 'operator' | 'stop'

export type Order =
  | { readonly is: 'active' }
  /** `deadline`: ms since the epoch. */
  | { readonly is: 'draining'; readonly by: Actor; readonly deadline: number }
  | { readonly is: 'drained'; readonly by: Actor; readonly report: DrainReport }

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
  readonly #durations = new RecentDurations()
  #drain: { readonly run: Drain; readonly ended: Promise<DrainReport> } | null = null
  #isClosed = false

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

  /** The attempt is over, at `now` (monotonic ms). Calling it again for the same attempt does nothing. */
  settle(claim: Claim, now: number): void {
    const slot = claim.slot
    if (slot === -1) return
    const last = this.inFlight.pop()
    if (last !== undefined && last !== claim) {
      this.inFlight[slot] = last
      last.slot = slot
    }
    claim.slot = -1
    if (claim.kind === 'request') this.#durations.record(now - claim.claimedAt, now)
    this.#drain?.run.settled(claim)
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
   * No new exchange; those under way end on their own, are asked to, or are cut by `fault`: requests after a window that follows from how long
   * recent ones took, everything at the deadline. While it drains, a second call can only shorten the time; once drained, it changes nothing.
   */
  drain(by: Actor, limits: DrainLimits, fault: Fault): Promise<DrainReport> {
    if (this.#order.is === 'drained') return Promise.resolve(this.#order.report)
    const deadline = this.#world.now() + limits.deadlineMs
    if (this.#drain !== null && this.#order.is === 'draining') {
      this.#order = { is: 'draining', by, deadline: Math.min(deadline, this.#order.deadline) }
      this.#drain.run.hasten(limits.deadlineMs)
      return this.#drain.ended
    }
    this.#order = { is: 'draining', by, deadline }
    this.#settleServing()
    return this.#beginDrain(limits, fault)
  }

  /** It may take exchanges again; those that were asked to go still go. False: it has been closed. */
  undrain(): boolean {
    if (this.#isClosed) return false
    this.#drain?.run.undo()
    this.#order = { is: 'active' }
    this.#settleServing()
    return true
  }

  /** After the drain. */
  async close(): Promise<void> {
    const transport = this.transport
    this.transport = null
    this.#isClosed = true
    this.#settleServing()
    transport?.destroy()
  }

  #beginDrain(limits: DrainLimits, fault: Fault): Promise<DrainReport> {
    const { promise: ended, resolve } = Promise.withResolvers<DrainReport>()
    const over = (report: DrainReport) => {
      this.#drain = null
      if (report.is === 'done') this.#drained(report)
      resolve(report)
    }
    const windowMs = requestWindowMs(this.#p95Ms(), limits)
    const run = new Drain({ world: this.#world, claims: this.inFlight, limits, windowMs, fault, over })
    this.#drain = { run, ended }
    run.begin()
    return ended
  }

  /** Its idle connections are closed, gracefully; should it be taken back, it opens others. */
  #drained(report: DrainReport): void {
    if (this.#order.is === 'draining') this.#order = { is: 'drained', by: this.#order.by, report }
    if (this.endpoint !== null) this.place(this.endpoint)
  }

  /** Of the requests of the last half a minute; null if there were none. */
  latencyMs(): { readonly p50: number; readonly p99: number } | null {
    return this.#durations.latencyMs(this.#world.elapsed())
  }

  #p95Ms(): number {
    const now = this.#world.elapsed()
    return this.#durations.p95Ms(
      now,
      this.inFlight.filter(({ kind }) => kind === 'request').map(({ claimedAt }) => now - claimedAt),
    )
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
