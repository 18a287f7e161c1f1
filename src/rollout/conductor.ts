/**
 * Runs the upgrade: takes events and orders one at a time, journals what they make of it, and then does what is to be done.
 * It decides nothing itself (`step.ts` does) and touches traffic only through what it is given.
 *
 * Invariants: one upgrade at a time; the ledger on disk is never behind what was done; an event of an earlier move is dropped (`seq`).
 */
import type { Dynamic } from '../config/settings.ts'
import { errorMessage } from '../errors.ts'
import type { VersionName } from '../routing/route.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Timer, World } from '../world.ts'
import { Analyst } from './analyst.ts'
import { watchCandidate } from './candidate-watch.ts'
import type { Evidence } from './evidence.ts'
import { Figures } from './figures.ts'
import type { Journal } from './journal.ts'
import type { LedgerKeeper } from './ledger-keeper.ts'
import type { OrderOutcome } from './order-outcome.ts'
import type { Plan } from './plan.ts'
import { type Receipt, receiptOf, unmeasured } from './receipt.ts'
import { isExclusive, stableOf } from './roles.ts'
import { begin, step } from './step.ts'
import { type Action, type Actor, type Event, isOver, type Move, type Order, type Upgrade } from './upgrade.ts'
import { newUpgradeId } from './upgrade-id.ts'
import type { Verdict } from './verdict.ts'
import type { VersionControl } from './version-control.ts'
import type { VersionOrders } from './version-orders.ts'

export interface ConductorParts {
  readonly world: World
  readonly log: Log
  readonly metrics: Metrics
  readonly keeper: LedgerKeeper
  readonly journal: Pick<Journal, 'append' | 'entries'>
  /** Keeps a receipt under the upgrade's name. */
  keepReceipt(receipt: Receipt): Promise<void>
  readonly versions: VersionControl
  readonly orders: VersionOrders
  /** Roles and weight have changed: lay them over the running snapshot. */
  route(): void
  /** Fills the new version's cache; resolves at once where there is none. */
  warm(to: VersionName, from: VersionName): Promise<void>
  hold(): void
  release(): void
  /** Without a keeper no app can be started. */
  keeperLost(): boolean
  dynamic(): Pick<Dynamic, 'versions' | 'rollout'>
}

/** Between looks at what an upgrade waits for. */
const lookMs = 50
/** After a journal that could not be written (a full disk), the event is taken again. */
const retakeMs = 1_000

export class Conductor {
  readonly #parts: ConductorParts
  #wait: Timer | null = null
  #watch: Timer | null = null
  #figures: Figures | null = null
  #stopped = false
  readonly #analyst: Analyst

  constructor(parts: ConductorParts) {
    this.#parts = parts
    const { world, log, versions, keeper } = parts
    this.#analyst = new Analyst({
      world,
      log,
      versions,
      policy: () => parts.dynamic().rollout.analysis,
      running: () => keeper.running,
      asks: (event, { seq }) => this.#take(event, seq),
      changed: (evidence, upgrade) => this.#keepEvidence(evidence, upgrade),
    })
  }

  /** Of the upgrade under way, or of the last one. */
  get verdict(): Verdict | null {
    return this.#analyst.verdict
  }

  /** After a restart: goes on where the journal says. Resolves when what an earlier phase had set up stands again: requests may come. */
  async recover(): Promise<void> {
    const { keeper, log, orders } = this.#parts
    orders.watchSpare()
    if (keeper.running === null) return
    this.#countFrom(keeper.running)
    log.warn('upgrade.recovered', this.#fields(keeper.running))
    this.#take({ is: 'recovered' }, null)
    await keeper.idle()
  }

  /** Ends its timers, and waits for a journal write under way. An upgrade stays where it is, and goes on after the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wait?.cancel()
    this.#watch?.cancel()
    this.#analyst.end()
    this.#parts.orders.close()
    await this.#parts.keeper.idle()
  }

  /** `planName`: null for the configured one. */
  begin(to: VersionName, planName: string | null): Promise<OrderOutcome> {
    const { keeper, versions, world } = this.#parts
    return keeper.inTurn(async () => {
      const { running, ledger } = keeper
      if (running?.to === to) return { is: 'unchanged', upgrade: running }
      if (running !== null) return { is: 'refused', reason: `upgrade ${running.id} from ${running.from} to ${running.to} is under way` }
      const { rollout, versions: configured } = this.#parts.dynamic()
      if (!Object.hasOwn(configured, to)) return { is: 'unknown', what: `version ${to}` }
      if (to === ledger.stable) return { is: 'unchanged', upgrade: ledger.upgrade }
      const name = planName ?? rollout.plan
      const plan: Plan | undefined = Object.hasOwn(rollout.plans, name) ? rollout.plans[name] : undefined
      if (plan === undefined) return { is: 'unknown', what: `plan ${name}` }
      const now = world.now()
      const move = begin(newUpgradeId(now, world.random), ledger.stable, to, plan, now, versions.runs(to))
      await this.#comeBack(to)
      this.#countFrom(move.next)
      await this.#move(move, 'ordered')
      return { is: 'accepted', upgrade: move.next }
    })
  }

  order(order: Order, by: Actor): Promise<OrderOutcome> {
    const { keeper, orders, world } = this.#parts
    return keeper.inTurn(async () => {
      const { running } = keeper
      if (running === null) return order === 'rollback' ? orders.rollBackToSpare() : { is: 'refused', reason: 'no upgrade is under way' }
      const move = step(running, { is: 'order', order, by }, world.now())
      if (move.next === running) return { is: 'unchanged', upgrade: running }
      await this.#move(move, order)
      return { is: 'accepted', upgrade: move.next }
    })
  }

  /** Whatever was ordered of it before, it may run and serve again. */
  async #comeBack(name: VersionName): Promise<void> {
    const { keeper, versions } = this.#parts
    const { retired, drained, spare } = keeper.ledger
    const wasIdle = drained.includes(name) || spare?.version === name
    if (!wasIdle && !retired.includes(name)) return
    const without = (names: readonly VersionName[]) => names.filter((each) => each !== name)
    await keeper.write({ retired: without(retired), drained: without(drained), spare: spare?.version === name ? null : spare })
    if (wasIdle) versions.undrain(name)
  }

  /** What the receipt counts begins here; so does the look-out for a candidate that is lost. */
  #countFrom(upgrade: Upgrade): void {
    const { versions, world, keeper } = this.#parts
    this.#figures = new Figures(upgrade, versions)
    this.#analyst.begin(upgrade)
    this.#watch?.cancel()
    const lost = ({ seq, phase }: Upgrade, detail: string) => {
      // while traffic shifts, the policy says what is lost
      if (phase === 'shift' && this.#parts.dynamic().rollout.analysis.enabled) this.#analyst.look()
      else this.#take({ is: 'candidate-lost', detail }, seq)
    }
    this.#watch = watchCandidate({ world, versions, to: upgrade.to, running: () => keeper.running, lost })
  }

  /** Feeds an event in its turn; one that belongs to an earlier move than `seq` is dropped. */
  #take(event: Event, seq: number | null): void {
    const { keeper, world, log } = this.#parts
    const taken = keeper.inTurn(async () => {
      const { running } = keeper
      if (running === null || (seq !== null && running.seq !== seq) || this.#stopped) return
      const move = step(running, event, world.now())
      if (move.next !== running || move.actions.length > 0) await this.#move(move, event.is)
    })
    taken.catch((error: unknown) => {
      log.error('upgrade.not_journaled', { event: event.is, reason: errorMessage(error), again_in_ms: retakeMs })
      world.after(retakeMs, () => this.#take(event, seq))
    })
  }

  /** Journal, then act. */
  async #move(move: Move, event: string): Promise<void> {
    const { keeper, log } = this.#parts
    const { next } = move
    const before = keeper.ledger.upgrade
    await keeper.write({ stable: stableOf(next), upgrade: next })
    this.#figures?.look(next)
    if (next.phase === 'shift' && before?.phase !== 'shift') this.#analyst.shiftBegan(next)
    this.#tell(before, next)
    // the ledger decides and is written; a history that lacks a line must not stop an upgrade half-way
    await this.#append(next, event).catch((error: unknown) => log.error('upgrade.history', { reason: errorMessage(error) }))
    this.#wait?.cancel()
    for (const action of move.actions) this.#act(action, next)
    if (isOver(next)) this.#over(next)
  }

  async #append(upgrade: Upgrade, event: string, evidence: Evidence | null = null): Promise<void> {
    const { journal, versions, world } = this.#parts
    const { id, from, to, seq, phase } = upgrade
    const requests = { [from]: versions.requests(from), [to]: versions.requests(to) }
    await journal.append(id, { at: world.now(), seq, phase, event, upgrade, requests, evidence })
  }

  #tell(before: Upgrade | null, next: Upgrade): void {
    const { log } = this.#parts
    if (before?.id === next.id && before.phase !== next.phase) this.#tellEnd(before, next)
    const isNewPhase = before?.id !== next.id || before.phase !== next.phase
    log.info(isNewPhase ? 'upgrade.phase' : 'upgrade.moved', this.#fields(next))
  }

  #tellEnd(before: Upgrade, next: Upgrade): void {
    const { metrics, world, log } = this.#parts
    const durationMs = world.now() - before.phaseSince
    const wentBack = next.phase === 'rollback' || next.phase === 'rolled-back' || next.phase === 'failed'
    metrics.stage(before.phase, durationMs / 1000)
    log.info('upgrade.phase_ended', { ...this.#fields(before), result: wentBack ? next.phase : 'ok', duration_ms: durationMs })
  }

  #act(action: Action, upgrade: Upgrade): void {
    const { versions } = this.#parts
    const { seq } = upgrade
    switch (action.do) {
      case 'precheck':
        return this.#precheck(upgrade)
      case 'start':
        return this.#then(this.#start(action.version), { is: 'started' }, 'start-failed', seq)
      case 'await-ready':
        return this.#awaitReady(action.version, upgrade.since + action.withinMs, seq)
      case 'warm':
        return this.#then(this.#warm(action.version, action.from), { is: 'warmed' }, 'start-failed', seq)
      case 'route':
        this.#parts.route()
        return versions.apply()
      case 'await-restore':
        return this.#awaitRestore(upgrade.since + action.forMs, seq)
      case 'await-step':
        return this.#awaitStep(action.forMs, action.minRequests, upgrade)
      case 'drain':
        return this.#then(this.#drain(action.version), { is: 'drained' }, 'stop-failed', seq)
      case 'undrain':
        return versions.undrain(action.version)
      case 'stop':
        return this.#then(this.#stop(action.version, upgrade), { is: 'stopped' }, 'stop-failed', seq)
      case 'hold':
        this.#parts.hold()
        return this.#take({ is: 'held' }, seq)
      case 'release':
        this.#parts.release()
        return this.#take({ is: 'released' }, seq)
      case 'conclude':
        return this.#then(this.#conclude(upgrade), null, 'stop-failed', seq)
    }
  }

  #precheck({ to, seq }: Upgrade): void {
    const isThere = Object.hasOwn(this.#parts.dynamic().versions, to)
    const fault = isThere ? this.#whyNotStartable(to) : `no version ${to} is configured`
    this.#take(fault === null ? { is: 'prechecked' } : { is: 'precheck-failed', detail: fault }, seq)
  }

  /** Null: it runs, or can be started. */
  #whyNotStartable(name: VersionName): string | null {
    const { dynamic, versions, keeperLost } = this.#parts
    const isManaged = dynamic().versions[name]?.endpoint.is === 'process'
    return isManaged && versions.pid(name) === null && keeperLost() ? `the keeper is lost, so ${name} cannot be started` : null
  }

  async #start(name: VersionName): Promise<void> {
    const { keeper, versions } = this.#parts
    await keeper.inTurn(() => this.#comeBack(name))
    versions.apply()
  }

  async #drain(name: VersionName): Promise<void> {
    this.#figures?.addCut(await this.#parts.versions.drain(name))
  }

  /** A cache that stays cold is a reason to say so, not to keep a version from serving. */
  async #warm(to: VersionName, from: VersionName): Promise<void> {
    await this.#parts
      .warm(to, from)
      .catch((error: unknown) => this.#parts.log.warn('upgrade.cold', { version: to, reason: errorMessage(error) }))
  }

  /** The old version of a committed plan with `retireAfter` lives on, drained; anything else is stopped for good. */
  async #stop(name: VersionName, upgrade: Upgrade): Promise<void> {
    const { phase, from, to, plan, seq } = upgrade
    const { orders, keeper } = this.#parts
    // what nothing could come after would leave nobody to serve
    const fault = phase === 'stop-old' && isExclusive(upgrade) ? this.#whyNotStartable(to) : null
    if (fault !== null) throw new Error(fault)
    const isSpare = phase === 'stop-old' && name === from && plan.retireAfterMs > 0 && plan.strategy === 'shift'
    // a rollback that came first has made it serve again
    const isWanted = () => keeper.running?.seq === seq
    return isSpare ? orders.keepAsSpare(name, plan.retireAfterMs, isWanted) : orders.stopForGood(name, isWanted)
  }

  #awaitReady(name: VersionName, deadline: number, seq: number): void {
    const { versions, world } = this.#parts
    const look = () => {
      if (versions.isServing(name)) this.#take({ is: 'ready' }, seq)
      else if (world.now() > deadline) this.#take({ is: 'not-ready-in-time', detail: versions.whyNotServing(name) }, seq)
      else this.#wait = world.after(lookMs, look)
    }
    look()
  }

  #awaitStep(forMs: number, minRequests: number, upgrade: Upgrade): void {
    const { versions, world } = this.#parts
    const until = upgrade.since + forMs
    const requests = versions.requests(upgrade.to) + minRequests
    const look = () => {
      const leftMs = until - world.now()
      if (leftMs <= 0 && versions.requests(upgrade.to) >= requests && this.#mayAdvance(forMs)) this.#take({ is: 'step-met' }, upgrade.seq)
      else this.#wait = world.after(leftMs > 0 ? Math.min(lookMs, leftMs) : lookMs, look)
    }
    look()
  }

  /** A step that takes no time has nothing that could be judged. */
  #mayAdvance(forMs: number): boolean {
    return forMs === 0 || this.#analyst.look()?.mayAdvance !== false
  }

  #awaitRestore(until: number, seq: number): void {
    const { world } = this.#parts
    this.#wait = world.after(Math.max(0, until - world.now()), () => this.#take({ is: 'restored' }, seq))
  }

  #keepEvidence(evidence: Evidence, upgrade: Upgrade): void {
    const { keeper, log } = this.#parts
    const kept = keeper.inTurn(async () => {
      const { running } = keeper
      // an upgrade that was over, or went on, before its turn came needs no reason any more
      if (running?.id === upgrade.id && running.phase === 'shift') await this.#append(running, 'verdict', evidence)
    })
    kept.catch((error: unknown) => log.error('upgrade.history', { reason: errorMessage(error) }))
  }

  /** Journal and figures become the receipt. */
  async #conclude(upgrade: Upgrade): Promise<void> {
    const { journal, log } = this.#parts
    const measured = this.#figures?.measured(upgrade) ?? unmeasured
    const receipt = receiptOf(await journal.entries(upgrade.id), measured)
    if (receipt !== null) await this.#parts.keepReceipt(receipt)
    log.info('upgrade.concluded', {
      ...this.#fields(upgrade),
      result: upgrade.phase,
      duration_ms: receipt?.durationMs ?? null,
      cut: measured.cut,
      failed: measured.failed,
    })
  }

  #over(upgrade: Upgrade): void {
    const { metrics, world, versions } = this.#parts
    this.#watch?.cancel()
    this.#analyst.end()
    this.#parts.route()
    versions.apply()
    metrics.stage('total', (world.now() - upgrade.beganAt) / 1000)
  }

  /** `event` is what the action's end says, null nothing; `trouble` what it says if it fails. */
  #then(work: Promise<unknown>, event: Event | null, trouble: 'start-failed' | 'stop-failed', seq: number): void {
    const failed = (error: unknown) => {
      this.#parts.log.error('upgrade.action_failed', { action_for: event?.is ?? 'receipt', reason: errorMessage(error) })
      if (event !== null) this.#take({ is: trouble, detail: errorMessage(error) }, seq)
    }
    work.then(() => {
      if (event !== null) this.#take(event, seq)
    }, failed)
  }

  /** What every line of an upgrade carries. */
  #fields(upgrade: Upgrade): Record<string, unknown> {
    const { id, from, to, phase } = upgrade
    const { versions } = this.#parts
    const place =
      'step' in upgrade ? { step: upgrade.step, weight: upgrade.plan.steps[upgrade.step]?.weight ?? 0, mode: upgrade.mode.is } : {}
    const todo = 'todo' in upgrade ? { todo: upgrade.todo } : {}
    const why = 'why' in upgrade ? { why: upgrade.why.code, detail: upgrade.why.detail } : {}
    return { upgrade_id: id, phase, from, to, old_pid: versions.pid(from), new_pid: versions.pid(to), ...place, ...todo, ...why }
  }
}
