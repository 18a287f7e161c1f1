/**
 * Runs the upgrade: takes events and orders one at a time, journals what they make of it, and then does what is to be done.
 * It decides nothing itself (`step.ts` does) and touches traffic only through what it is given.
 *
 * Invariants: one upgrade at a time; the ledger on disk is never behind what was done; an event of an earlier move is dropped (`seq`).
 */
import type { Dynamic } from '../config/settings.ts'
import { errorMessage } from '../errors.ts'
import type { Roles, VersionName } from '../routing/route.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Timer, World } from '../world.ts'
import type { Journal } from './journal.ts'
import type { Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'
import { type Receipt, receiptOf } from './receipt.ts'
import { isExclusive, rolesOf, stableOf } from './roles.ts'
import { begin, step } from './step.ts'
import { type Action, type Actor, type Event, isOver, type Move, type Order, type Upgrade } from './upgrade.ts'
import { newUpgradeId } from './upgrade-id.ts'

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
  /** How often its process has ended by itself. */
  exits(name: VersionName): number
  pid(name: VersionName): number | null
}

export interface ConductorParts {
  readonly world: World
  readonly log: Log
  readonly metrics: Metrics
  readonly journal: Journal
  /** Keeps a receipt under the upgrade's name. */
  keepReceipt(receipt: Receipt): Promise<void>
  readonly versions: VersionControl
  /** Roles and weight have changed: lay them over the running snapshot. */
  route(): void
  /** Fills the new version's cache; resolves at once where there is none. */
  warm(to: VersionName, from: VersionName): Promise<void>
  hold(): void
  release(): void
  dynamic(): Dynamic
}

export type OrderOutcome =
  | { readonly is: 'accepted'; readonly upgrade: Upgrade | null }
  | { readonly is: 'unchanged'; readonly upgrade: Upgrade | null }
  | { readonly is: 'refused'; readonly reason: string }
  | { readonly is: 'unknown'; readonly what: string }

/** What lies over the configuration, for the versions. */
export interface Wishes {
  readonly stable: VersionName
  readonly candidate: VersionName | null
  readonly kept: readonly VersionName[]
  readonly retired: readonly VersionName[]
  readonly drained: readonly VersionName[]
}

/** Between looks at what an upgrade waits for. */
const lookMs = 50
/** Not ready for this long, a candidate that served is lost. */
const lostAfterMs = 10_000

export class Conductor {
  readonly #parts: ConductorParts
  #ledger: Ledger
  #queue: Promise<unknown> = Promise.resolve()
  #wait: Timer | null = null
  #watch: Timer | null = null
  #notServingSince: number | null = null
  #exitsBefore = -1
  #figures = { cut: 0, failuresBefore: 0 }
  #stopped = false

  constructor(ledger: Ledger, parts: ConductorParts) {
    this.#ledger = ledger
    this.#parts = parts
  }

  get ledger(): Ledger {
    return this.#ledger
  }
  get upgrade(): Upgrade | null {
    return this.#ledger.upgrade
  }
  get running(): Upgrade | null {
    const { upgrade } = this.#ledger
    return upgrade !== null && !isOver(upgrade) ? upgrade : null
  }

  /** After a restart: goes on where the journal says. */
  recover(): void {
    this.#watchSpare()
    if (this.running === null) return
    this.#watchCandidate()
    this.#parts.log.warn('upgrade.recovered', this.#fields())
    void this.#take({ is: 'recovered' })
  }

  /** Ends its timers; a journal write under way is waited for. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wait?.cancel()
    this.#watch?.cancel()
    await this.#queue
  }

  /** The roles that lie over a configuration. An edited `stable` is an order that moves them at once. */
  rolesFor(dynamic: Dynamic): Roles {
    const { configuredStable, retired } = this.#ledger
    const stable = dynamic.stable === configuredStable ? this.#ledger.stable : dynamic.stable
    const candidate = dynamic.candidate !== null && !retired.includes(dynamic.candidate) ? dynamic.candidate : null
    return rolesOf(this.running, stable, candidate)
  }

  /** What is wished of versions beside what the routes name. */
  wishes(dynamic: Dynamic): Wishes {
    const { spare, drained, retired } = this.#ledger
    const { running } = this
    const { stable, candidate } = this.rolesFor(dynamic)
    const waits = running !== null && startsLater(running)
    const moved = running === null ? [] : waits ? [running.from] : [running.from, running.to]
    const idle = [...drained, ...(spare === null ? [] : [spare.version])]
    const kept = [...moved, ...idle].filter((name) => !retired.includes(name))
    return { stable, candidate: waits ? null : candidate, kept, retired, drained: idle }
  }

  /** Why a configuration cannot be taken now, or null. */
  veto(next: Dynamic): { readonly path: string; readonly reason: string } | null {
    const { running } = this
    const names = Object.keys(next.versions)
    if (running === null) {
      const { stable, configuredStable } = this.#ledger
      if (next.stable !== configuredStable || names.includes(stable)) return null
      return { path: 'versions', reason: `${stable} is stable and cannot be taken away; set stable to another version first` }
    }
    if (next.stable !== this.#ledger.configuredStable) return { path: 'stable', reason: `upgrade ${running.id} is under way` }
    const missing = [running.from, running.to].find((name) => !names.includes(name))
    return missing === undefined ? null : { path: 'versions', reason: `upgrade ${running.id} needs ${missing}` }
  }

  /** A configuration was swapped in: what it says of `stable` becomes the ledger's. */
  followed(dynamic: Dynamic): Promise<void> {
    const { configuredStable } = this.#ledger
    if (dynamic.stable === configuredStable) return Promise.resolve()
    const retired = this.#ledger.retired.filter((name) => name !== dynamic.stable)
    return this.#inTurn(() => this.#write({ ...this.#ledger, stable: dynamic.stable, configuredStable: dynamic.stable, retired }))
  }

  upgradeTo(to: VersionName, planName: string | null): Promise<OrderOutcome> {
    return this.#inTurn(async () => {
      const { running } = this
      if (running?.to === to) return { is: 'unchanged', upgrade: running }
      if (running !== null) return { is: 'refused', reason: `upgrade ${running.id} from ${running.from} to ${running.to} is under way` }
      const { rollout, versions } = this.#parts.dynamic()
      if (versions[to] === undefined) return { is: 'unknown', what: `version ${to}` }
      if (to === this.#ledger.stable) return { is: 'unchanged', upgrade: this.upgrade }
      const plan: Plan | undefined = rollout.plans[planName ?? rollout.plan]
      if (plan === undefined) return { is: 'unknown', what: `plan ${planName ?? rollout.plan}` }
      const { now, random } = this.#parts.world
      const move = begin(newUpgradeId(now(), random), this.#ledger.stable, to, plan, now(), this.#parts.versions.runs(to))
      const without = (names: readonly VersionName[]) => names.filter((name) => name !== to)
      const { retired, drained, spare } = this.#ledger
      this.#ledger = { ...this.#ledger, retired: without(retired), drained: without(drained), spare: spare?.version === to ? null : spare }
      if (drained.includes(to) || spare?.version === to) this.#parts.versions.undrain(to)
      const { failures } = this.#parts.versions
      this.#figures = { cut: 0, failuresBefore: failures(move.next.from) + failures(to) }
      await this.#move(move, 'ordered')
      this.#watchCandidate()
      return { is: 'accepted', upgrade: move.next }
    })
  }

  order(order: Order, by: Actor): Promise<OrderOutcome> {
    return this.#inTurn(async () => {
      const before = this.#ledger.upgrade
      if (this.running === null || before === null)
        return order === 'rollback' ? this.#rollBackLast() : { is: 'refused', reason: 'no upgrade is under way' }
      const move = step(before, { is: 'order', order, by }, this.#parts.world.now())
      if (move.next === before) return { is: 'unchanged', upgrade: before }
      await this.#move(move, order)
      return { is: 'accepted', upgrade: move.next }
    })
  }

  /** The plain order: this version is stable now. */
  stable(name: VersionName): Promise<OrderOutcome> {
    return this.#inTurn(async () => {
      const refusal = this.#whyNotStable(name)
      if (refusal !== null) return refusal
      if (name === this.#ledger.stable) return { is: 'unchanged', upgrade: this.upgrade }
      await this.#makeStable(name)
      return { is: 'accepted', upgrade: this.upgrade }
    })
  }

  drain(name: VersionName, force: boolean): Promise<OrderOutcome> {
    return this.#inTurn(async () => {
      const refusal = this.#whyNotDrain(name, force)
      if (refusal !== null) return refusal
      if (this.#ledger.drained.includes(name)) return { is: 'unchanged', upgrade: this.upgrade }
      await this.#write({ ...this.#ledger, drained: [...this.#ledger.drained, name] })
      this.#later(this.#parts.versions.drain(name))
      return { is: 'accepted', upgrade: this.upgrade }
    })
  }

  undrain(name: VersionName): Promise<OrderOutcome> {
    return this.#inTurn(async () => {
      const { drained, retired } = this.#ledger
      if (this.#parts.dynamic().versions[name] === undefined) return { is: 'unknown', what: `version ${name}` }
      if (!drained.includes(name) && !retired.includes(name)) return { is: 'unchanged', upgrade: this.upgrade }
      await this.#write({
        ...this.#ledger,
        drained: drained.filter((each) => each !== name),
        retired: retired.filter((each) => each !== name),
      })
      this.#parts.versions.undrain(name)
      this.#parts.versions.apply()
      return { is: 'accepted', upgrade: this.upgrade }
    })
  }

  retire(name: VersionName, force: boolean): Promise<OrderOutcome> {
    return this.#inTurn(async () => {
      const refusal = this.#whyNotDrain(name, force)
      if (refusal !== null) return refusal
      if (this.#ledger.retired.includes(name)) return { is: 'unchanged', upgrade: this.upgrade }
      await this.#writeRetired(name)
      this.#later(this.#parts.versions.retire(name))
      return { is: 'accepted', upgrade: this.upgrade }
    })
  }

  #whyNotStable(name: VersionName): OrderOutcome | null {
    const { running } = this
    const { versions, dynamic } = this.#parts
    if (dynamic().versions[name] === undefined) return { is: 'unknown', what: `version ${name}` }
    if (running !== null) return { is: 'refused', reason: `upgrade ${running.id} is under way` }
    if (name !== this.#ledger.stable && !versions.isServing(name)) return { is: 'refused', reason: versions.whyNotServing(name) }
    return null
  }

  #whyNotDrain(name: VersionName, force: boolean): OrderOutcome | null {
    const { running } = this
    if (this.#parts.dynamic().versions[name] === undefined) return { is: 'unknown', what: `version ${name}` }
    if (running !== null && (name === running.from || name === running.to))
      return { is: 'refused', reason: `upgrade ${running.id} moves ${name}` }
    if (name === this.#ledger.stable && !force)
      return { is: 'refused', reason: `${name} is stable: all traffic would fail (--force does it)` }
    return null
  }

  /** After `done`, while the old version is a warm spare, going back is one change of route. */
  async #rollBackLast(): Promise<OrderOutcome> {
    const { spare, upgrade } = this.#ledger
    if (spare === null || upgrade?.phase !== 'done' || spare.version !== upgrade.from) {
      return { is: 'refused', reason: 'no upgrade is under way, and no warm spare is left to go back to; use "baton upgrade --to"' }
    }
    this.#parts.versions.undrain(spare.version)
    await this.#makeStable(spare.version)
    return { is: 'accepted', upgrade }
  }

  async #makeStable(name: VersionName): Promise<void> {
    const { retired, drained, spare } = this.#ledger
    const without = (names: readonly VersionName[]) => names.filter((each) => each !== name)
    const next = {
      ...this.#ledger,
      stable: name,
      retired: without(retired),
      drained: without(drained),
      spare: spare?.version === name ? null : spare,
    }
    await this.#write(next)
    this.#parts.route()
    this.#parts.log.info('roles.moved', { stable: name })
  }

  /** Feeds an event; one that belongs to an earlier move is dropped. */
  #take(event: Event, seq?: number): Promise<void> {
    return this.#inTurn(async () => {
      const { running } = this
      if (running === null || (seq !== undefined && running.seq !== seq) || this.#stopped) return
      const move = step(running, event, this.#parts.world.now())
      if (move.next !== running || move.actions.length > 0) await this.#move(move, event.is)
    })
  }

  /** Journal, then act. */
  async #move(move: Move, event: string): Promise<void> {
    const { next } = move
    const before = this.#ledger.upgrade
    await this.#write({ ...this.#ledger, stable: stableOf(next), upgrade: next })
    if (before?.phase !== next.phase || before.id !== next.id) this.#phaseBegan(before, next)
    await this.#append(next, event)
    this.#wait?.cancel()
    this.#wait = null
    for (const action of move.actions) this.#act(action, next)
    if (isOver(next)) this.#over(next)
  }

  async #append(upgrade: Upgrade, event: string): Promise<void> {
    const { journal, versions, world } = this.#parts
    const requests = { [upgrade.from]: versions.requests(upgrade.from), [upgrade.to]: versions.requests(upgrade.to) }
    await journal.append(upgrade.id, { at: world.now(), seq: upgrade.seq, phase: upgrade.phase, event, upgrade, requests })
  }

  #phaseBegan(before: Upgrade | null, next: Upgrade): void {
    const { metrics, world } = this.#parts
    if (before !== null && before.id === next.id) metrics.stage(before.phase, (world.now() - before.since) / 1000)
    this.#parts.log.info('upgrade.phase', this.#fields(next))
  }

  #act(action: Action, upgrade: Upgrade): void {
    const { versions } = this.#parts
    const { seq } = upgrade
    switch (action.do) {
      case 'precheck':
        return this.#precheck(upgrade)
      case 'start':
        return this.#start(action.version, seq)
      case 'await-ready':
        return this.#awaitReady(action.version, upgrade.since + action.withinMs, seq)
      case 'warm':
        return this.#then(this.#parts.warm(action.version, action.from), { is: 'warmed' }, seq)
      case 'route':
        this.#parts.route()
        return versions.apply()
      case 'await-step':
        return this.#awaitStep(action.forMs, action.minRequests, upgrade)
      case 'drain':
        return this.#then(this.#drain(action.version), { is: 'drained' }, seq)
      case 'undrain':
        return versions.undrain(action.version)
      case 'stop':
        return this.#stopVersion(action.version, upgrade)
      case 'hold':
        this.#parts.hold()
        return void this.#take({ is: 'held' }, seq)
      case 'release':
        this.#parts.release()
        return void this.#take({ is: 'released' }, seq)
      case 'conclude':
        return this.#later(this.#conclude(upgrade))
    }
  }

  #start(name: VersionName, seq: number): void {
    const started = this.#inTurn(async () => {
      const { retired } = this.#ledger
      if (retired.includes(name)) await this.#write({ ...this.#ledger, retired: retired.filter((each) => each !== name) })
      this.#parts.versions.apply()
    })
    this.#then(started, { is: 'started' }, seq)
  }

  async #drain(name: VersionName): Promise<void> {
    this.#figures.cut += await this.#parts.versions.drain(name)
  }

  /** Journal and figures become the receipt. */
  async #conclude(upgrade: Upgrade): Promise<void> {
    const { journal, versions, log } = this.#parts
    const { from, to } = upgrade
    const { cut, failuresBefore } = this.#figures
    const failed = versions.failures(from) + versions.failures(to) - failuresBefore
    const entries = await journal.entries(upgrade.id)
    const receipt = receiptOf(entries, { cut, failed, latency: { before: null, during: null, after: null } })
    if (receipt !== null) await this.#parts.keepReceipt(receipt)
    log.info('upgrade.concluded', {
      ...this.#fields(upgrade),
      result: upgrade.phase,
      duration_ms: receipt?.durationMs ?? null,
      cut,
      failed,
    })
  }

  #precheck({ to, seq }: Upgrade): void {
    const { versions } = this.#parts.dynamic()
    if (versions[to] === undefined) void this.#take({ is: 'precheck-failed', detail: `no version ${to} is configured` }, seq)
    else void this.#take({ is: 'prechecked' }, seq)
  }

  #awaitReady(name: VersionName, deadline: number, seq: number): void {
    const { versions, world } = this.#parts
    const look = () => {
      if (versions.isServing(name)) void this.#take({ is: 'ready' }, seq)
      else if (world.now() > deadline) void this.#take({ is: 'not-ready-in-time', detail: versions.whyNotServing(name) }, seq)
      else this.#wait = world.after(lookMs, look)
    }
    look()
  }

  #awaitStep(forMs: number, minRequests: number, upgrade: Upgrade): void {
    const { versions, world } = this.#parts
    const until = upgrade.since + forMs
    const requests = versions.requests(upgrade.to) + minRequests
    const look = () => {
      const isMet = world.now() >= until && versions.requests(upgrade.to) >= requests
      if (isMet) void this.#take({ is: 'step-met' }, upgrade.seq)
      else this.#wait = world.after(Math.max(1, Math.min(lookMs, until - world.now() || lookMs)), look)
    }
    look()
  }

  /** The old version of a plan with a warm spare lives on, drained; anything else is stopped for good. */
  #stopVersion(name: VersionName, upgrade: Upgrade): void {
    const { plan, from, seq } = upgrade
    const keepsSpare = name === from && plan.retireAfterMs > 0 && upgrade.phase === 'stop-old'
    if (!keepsSpare) return this.#then(this.#retireNow(name), { is: 'stopped' }, seq)
    const until = this.#parts.world.now() + plan.retireAfterMs
    const spared = this.#inTurn(() => this.#write({ ...this.#ledger, spare: { version: name, until } }))
    this.#watchSpare()
    this.#then(spared, { is: 'stopped' }, seq)
  }

  async #retireNow(name: VersionName): Promise<void> {
    await this.#inTurn(() => this.#writeRetired(name))
    await this.#parts.versions.retire(name)
  }

  async #writeRetired(name: VersionName): Promise<void> {
    const { retired, drained, spare } = this.#ledger
    const next = [...retired.filter((each) => each !== name), name]
    await this.#write({
      ...this.#ledger,
      retired: next,
      drained: drained.filter((each) => each !== name),
      spare: spare?.version === name ? null : spare,
    })
  }

  #watchSpare(): void {
    const look = () => {
      const { spare } = this.#ledger
      if (spare === null || this.#stopped) return
      if (this.#parts.world.now() >= spare.until) this.#later(this.#retireNow(spare.version))
      else this.#parts.world.after(Math.min(1_000, Math.max(1, spare.until - this.#parts.world.now())), look)
    }
    this.#parts.world.after(0, look)
  }

  /** The new version is lost when its process ends, or when it served and does not for a while. */
  #watchCandidate(): void {
    const { versions, world } = this.#parts
    this.#watch?.cancel()
    this.#notServingSince = null
    this.#exitsBefore = -1
    this.#watch = world.every(lookMs, () => {
      const { running } = this
      if (running === null) return this.#watch?.cancel()
      if (!servesNow(running)) return
      if (this.#exitsBefore === -1) this.#exitsBefore = versions.exits(running.to)
      if (versions.isServing(running.to)) this.#notServingSince = null
      else this.#notServingSince ??= world.elapsed()
      const isLate = this.#notServingSince !== null && world.elapsed() - this.#notServingSince > lostAfterMs
      if (!isLate && versions.exits(running.to) === this.#exitsBefore) return
      this.#exitsBefore = versions.exits(running.to)
      void this.#take({ is: 'candidate-lost', detail: versions.whyNotServing(running.to) }, running.seq)
    })
  }

  #over(upgrade: Upgrade): void {
    this.#watch?.cancel()
    this.#parts.route()
    this.#parts.versions.apply()
    this.#parts.metrics.stage('total', (this.#parts.world.now() - upgrade.beganAt) / 1000)
  }

  #then(work: Promise<unknown>, event: Event, seq: number): void {
    work.then(
      () => this.#take(event, seq),
      (error: unknown) => {
        this.#parts.log.error('upgrade.action_failed', { ...this.#fields(), event: event.is, reason: errorMessage(error) })
        return this.#take({ is: 'stop-failed', detail: errorMessage(error) }, seq)
      },
    )
  }

  #later(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#parts.log.error('rollout.failed', { reason: errorMessage(error) }))
  }

  async #write(ledger: Ledger): Promise<void> {
    await this.#parts.journal.write(ledger)
    this.#ledger = ledger
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(act)
    this.#queue = turn.catch((error: unknown) => this.#parts.log.error('rollout.failed', { reason: errorMessage(error) }))
    return turn
  }

  /** What every line of an upgrade carries. */
  #fields(upgrade: Upgrade | null = this.#ledger.upgrade): Record<string, unknown> {
    if (upgrade === null) return {}
    const { id, from, to, phase } = upgrade
    const { versions } = this.#parts
    const place = 'step' in upgrade ? { step: upgrade.step, weight: upgrade.plan.steps[upgrade.step]?.weight ?? 0 } : {}
    const why = 'why' in upgrade ? { why: upgrade.why.code, detail: upgrade.why.detail } : {}
    return { upgrade_id: id, phase, from, to, old_pid: versions.pid(from), new_pid: versions.pid(to), ...place, ...why }
  }
}

/** The phases in which the new version is meant to serve. */
function servesNow(upgrade: Upgrade): boolean {
  return upgrade.phase === 'warm' || upgrade.phase === 'shift' || (upgrade.phase === 'stop-old' && !isExclusive(upgrade))
}

/** Exclusive: the new one may not run before the old one has stopped. */
function startsLater(upgrade: Upgrade): boolean {
  if (!isExclusive(upgrade)) return false
  return upgrade.phase === 'precheck' || upgrade.phase === 'hold' || upgrade.phase === 'stop-old' || upgrade.phase === 'rollback'
}
