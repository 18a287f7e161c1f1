/**
 * Runs the upgrade: takes events and orders one at a time, journals what they make of it, and then does what is to be done.
 * It decides nothing itself (`step.ts` does) and touches traffic only through what it is given.
 *
 * Invariants: one upgrade at a time; the ledger on disk is never behind what was done; an event of an earlier move, of this upgrade or of one before, is dropped.
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
import { isIdle, type Ledger, servesAgain } from './ledger.ts'
import type { LedgerKeeper } from './ledger-keeper.ts'
import { noUpgrade, type OrderOutcome, underWay } from './order-outcome.ts'
import type { Plan } from './plan.ts'
import { precheckFault } from './precheck.ts'
import { type Measured, type Receipt, receiptOf, unmeasured } from './receipt.ts'
import { isExclusive, stableOf } from './roles.ts'
import { begin, step } from './step.ts'
import { type Action, type Actor, type Event, isOver, type Move, type Order, type Pid, type Upgrade, type UpgradeId } from './upgrade.ts'
import { newUpgradeId } from './upgrade-id.ts'
import { fieldsOf, tellMove } from './upgrade-log.ts'
import type { Verdict } from './verdict.ts'
import type { VersionControl } from './version-control.ts'
import type { VersionOrders } from './version-orders.ts'
import { Waiting } from './waiting.ts'
import type { Warmed } from './warmed.ts'

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
  warm(to: VersionName, from: VersionName): Promise<Warmed>
  hold(): void
  release(): void
  /** Without a keeper no app can be started. */
  keeperLost(): boolean
  dynamic(): Pick<Dynamic, 'versions' | 'rollout'>
}

/** After a journal that could not be written (a full disk), the event is taken again. */
const retakeMs = 1_000

export class Conductor {
  readonly #parts: ConductorParts
  readonly #waiting: Waiting
  #watch: Timer | null = null
  #figures: Figures | null = null
  /** Of the new version; once it is stopped, the one that it had. */
  #newPid: Pid | null = null
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
      asks: (event, upgrade) => this.#take(event, upgrade),
      changed: (evidence, upgrade) => this.#keepEvidence(evidence, upgrade),
    })
    this.#waiting = new Waiting({
      world,
      versions,
      mayAdvance: () => this.#analyst.look()?.mayAdvance !== false,
      came: (event, upgrade) => this.#take(event, upgrade),
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
    this.#waiting.end()
    this.#watch?.cancel()
    this.#analyst.end()
    this.#parts.orders.close()
    await this.#parts.keeper.idle()
  }

  /** `planName`: null for the configured one. */
  begin(to: VersionName, planName: string | null): Promise<OrderOutcome> {
    const { keeper, world } = this.#parts
    return keeper.inTurn(async () => {
      const { running, ledger } = keeper
      if (running?.to === to) return { is: 'unchanged', upgrade: running }
      if (running !== null) return underWay(running)
      const { rollout, versions: configured } = this.#parts.dynamic()
      if (!Object.hasOwn(configured, to)) return { is: 'unknown', what: `version ${to}` }
      if (to === ledger.stable) return { is: 'unchanged', upgrade: ledger.upgrade }
      const name = planName ?? rollout.plan
      const plan: Plan | undefined = Object.hasOwn(rollout.plans, name) ? rollout.plans[name] : undefined
      if (plan === undefined) return { is: 'unknown', what: `plan ${name}` }
      const id = newUpgradeId(world.now(), () => world.random())
      return await this.#begin({ id, to, plan, led: false })
    })
  }

  /** Under a name and with a plan that are a fleet's. */
  join(id: UpgradeId, to: VersionName, plan: Plan): Promise<OrderOutcome> {
    const { keeper } = this.#parts
    return keeper.inTurn(async () => {
      const { running, ledger } = keeper
      if (ledger.upgrade?.id === id) return { is: 'unchanged', upgrade: ledger.upgrade }
      if (running !== null) return underWay(running)
      return await this.#begin({ id, to, plan, led: true })
    })
  }

  /** Within a turn. */
  async #begin(begun: Pick<Upgrade, 'id' | 'to' | 'plan' | 'led'>): Promise<OrderOutcome> {
    const { keeper, versions, world } = this.#parts
    const { to } = begun
    const from = keeper.ledger.stable
    const move = begin({ ...begun, from, ours: !versions.runs(to), oldPid: versions.pid(from) }, world.now())
    await this.#move(move, 'ordered', servesAgain(keeper.ledger, to))
    versions.undrain(to)
    return { is: 'accepted', upgrade: move.next }
  }

  /** The present step has all that ends it, whoever may end it. */
  get stepMet(): boolean {
    const { running } = this.#parts.keeper
    return running?.phase === 'shift' && running.mode.is === 'running' && this.#waiting.isMet(running)
  }

  order(order: Exclude<Order, 'promote'>, by: Actor): Promise<OrderOutcome> {
    const { keeper, orders } = this.#parts
    return keeper.inTurn(async () => {
      const { running } = keeper
      if (running !== null) return this.#obey(running, { is: 'order', order, by })
      return order === 'rollback' ? orders.rollBackToSpare() : noUpgrade
    })
  }

  /** `meant`: the step that whoever gives the order saw; null: whichever it is by now. */
  promote(meant: number | null, by: Actor): Promise<OrderOutcome> {
    const { keeper } = this.#parts
    return keeper.inTurn(async () => {
      const { running } = keeper
      const { upgrade } = keeper.ledger
      if (running === null) return meant !== null && upgrade?.phase === 'done' ? { is: 'unchanged', upgrade } : noUpgrade
      if (meant !== null && running.phase === 'shift' && meant > running.step) {
        return { is: 'refused', reason: `upgrade ${running.id} stands at step ${running.step}, before ${meant}` }
      }
      return this.#obey(running, { is: 'order', order: 'promote', by, step: meant })
    })
  }

  /** Within a turn. */
  async #obey(running: Upgrade, event: Extract<Event, { readonly is: 'order' }>): Promise<OrderOutcome> {
    const move = step(running, event, this.#parts.world.now())
    if (move.next === running) return { is: 'unchanged', upgrade: running }
    await this.#move(move, event.order)
    return { is: 'accepted', upgrade: move.next }
  }

  /** Whatever was ordered of it before, it may run and serve again. */
  async #comeBack(name: VersionName): Promise<void> {
    const { keeper, versions } = this.#parts
    if (!isIdle(keeper.ledger, name)) return
    await keeper.write(servesAgain(keeper.ledger, name))
    versions.undrain(name)
  }

  /** What the receipt counts begins here; so does the look-out for a candidate that is lost. */
  #countFrom(upgrade: Upgrade): void {
    const { versions, world, keeper, dynamic } = this.#parts
    const running = () => keeper.running
    const lostAfterMs = () => dynamic().rollout.analysis.hardStops.notReadyMs
    this.#figures = new Figures(upgrade, versions)
    this.#newPid = versions.pid(upgrade.to)
    this.#analyst.begin(upgrade)
    this.#watch?.cancel()
    const lost = (upgrade: Upgrade, detail: string) => {
      // while traffic shifts, the policy says what is lost
      if (upgrade.phase === 'shift' && dynamic().rollout.analysis.enabled) this.#analyst.look()
      else this.#take({ is: 'candidate-lost', detail }, upgrade)
    }
    this.#watch = watchCandidate({ world, versions, to: upgrade.to, lostAfterMs, running, lost })
  }

  /** Feeds an event in its turn; one of an earlier move than `at` is dropped. */
  #take(event: Event, at: Upgrade | null): void {
    const { keeper, world, log } = this.#parts
    const taken = keeper.inTurn(async () => {
      const { running } = keeper
      if (running === null || (at !== null && !keeper.isAt(at)) || this.#stopped) return
      const move = step(running, event, world.now())
      if (move.next !== running || move.actions.length > 0) await this.#move(move, event.is)
    })
    taken.catch((error: unknown) => {
      log.error('upgrade.not_journaled', {
        ...this.#fields(this.#parts.keeper.running),
        event: event.is,
        reason: errorMessage(error),
        again_in_ms: retakeMs,
      })
      // a verdict is asked for anew at the next look
      if (event.is !== 'verdict') world.after(retakeMs, () => this.#take(event, at))
    })
  }

  #fields(upgrade: Upgrade | null): Record<string, unknown> {
    return upgrade === null ? {} : fieldsOf(upgrade, this.#newPid)
  }

  /** Journal, then act. `change`: what the same record says beside the upgrade. */
  async #move(move: Move, event: string, change: Partial<Ledger> = {}): Promise<void> {
    const { keeper, versions } = this.#parts
    const { next } = move
    const before = keeper.ledger.upgrade
    await keeper.write({ ...change, stable: stableOf(next), upgrade: next })
    if (before?.id !== next.id) this.#countFrom(next)
    this.#newPid = versions.pid(next.to) ?? this.#newPid
    this.#figures?.look(next)
    if (next.phase === 'shift' && before?.phase !== 'shift') this.#analyst.shiftBegan(next)
    tellMove(this.#parts, before, next, this.#newPid)
    // the ledger decides and is written; a history that lacks a line must not stop an upgrade half-way
    await this.#append(next, event).catch((error: unknown) => this.#lacksLine(next, error))
    this.#waiting.end()
    if (next.phase === 'shift') this.#waiting.enter(next)
    if (isOver(next)) this.#over(next)
    for (const action of move.actions) {
      // within the turn: who stops baton waits for it
      if (action.do === 'conclude') await this.#conclude(next)
      else this.#act(action, next)
    }
  }

  async #append(upgrade: Upgrade, event: string, evidence: Evidence | null = null): Promise<void> {
    const { journal, versions, world } = this.#parts
    const { id, from, to, seq, phase } = upgrade
    const requests = { [from]: versions.requests(from), [to]: versions.requests(to) }
    await journal.append(id, { at: world.now(), seq, phase, event, upgrade, requests, evidence })
  }

  #act(action: Exclude<Action, { readonly do: 'conclude' }>, upgrade: Upgrade): void {
    const { versions } = this.#parts
    switch (action.do) {
      case 'precheck':
        return this.#precheck(upgrade)
      case 'start':
        return this.#then(this.#start(action.version), { is: 'started' }, 'start-failed', upgrade)
      case 'await-ready':
        return this.#waiting.ready(action.version, action.withinMs, upgrade)
      case 'warm':
        return this.#then(this.#warm(upgrade), { is: 'warmed' }, 'warm-failed', upgrade)
      case 'route':
        this.#parts.route()
        return versions.apply()
      case 'await-restore':
        return this.#waiting.restore(action.forMs, upgrade)
      case 'await-step':
        return upgrade.phase === 'shift' ? this.#waiting.step(upgrade) : undefined
      case 'drain':
        return this.#then(versions.drain(action.version), { is: 'drained' }, 'stop-failed', upgrade)
      case 'undrain':
        return versions.undrain(action.version)
      case 'stop':
        return this.#then(this.#stop(action.version, upgrade), { is: 'stopped' }, 'stop-failed', upgrade)
      case 'hold':
        this.#parts.hold()
        return this.#take({ is: 'held' }, upgrade)
      case 'release':
        this.#parts.release()
        return this.#take({ is: 'released' }, upgrade)
    }
  }

  #precheck(upgrade: Upgrade): void {
    const detail = precheckFault(upgrade.to, this.#parts)
    this.#take(detail === null ? { is: 'prechecked' } : { is: 'precheck-failed', detail }, upgrade)
  }

  async #start(name: VersionName): Promise<void> {
    const { keeper, versions } = this.#parts
    await keeper.inTurn(() => this.#comeBack(name))
    versions.apply()
  }

  /** A cache that stays cold is a reason to say so, and keeps a version from serving only where that is asked for. */
  async #warm(upgrade: Upgrade): Promise<void> {
    const { warm, keeper } = this.#parts
    const warmed = await warm(upgrade.to, upgrade.from)
    // it may have taken longer than the upgrade
    if (!keeper.isAt(upgrade)) return
    this.#figures?.warmed(warmed)
    if (warmed.is === 'refused') throw new Error(warmed.detail)
    if (warmed.is === 'short') {
      this.#parts.log.warn('upgrade.cold', { ...this.#fields(upgrade), version: upgrade.to, reason: warmed.detail })
    }
  }

  /** The old version of a committed plan with `retireAfter` lives on, drained; anything else is stopped for good. */
  async #stop(name: VersionName, upgrade: Upgrade): Promise<void> {
    const { phase, from, to, plan } = upgrade
    const { orders, keeper } = this.#parts
    // what nothing could come after would leave nobody to serve
    const fault = phase === 'stop-old' && isExclusive(upgrade) ? precheckFault(to, this.#parts) : null
    if (fault !== null) throw new Error(fault)
    const isSpare = phase === 'stop-old' && name === from && plan.retireAfterMs > 0 && plan.strategy === 'shift'
    // a rollback that came first has made it serve again
    const isWanted = () => keeper.isAt(upgrade)
    return isSpare ? orders.keepAsSpare(name, plan.retireAfterMs, isWanted) : orders.stopForGood(name, isWanted)
  }

  #keepEvidence(evidence: Evidence, upgrade: Upgrade): void {
    const { keeper } = this.#parts
    const kept = keeper.inTurn(async () => {
      const { running } = keeper
      // an upgrade that was over, or went on, before its turn came needs no reason any more
      if (running?.id === upgrade.id && running.phase === 'shift') await this.#append(running, 'verdict', evidence)
    })
    kept.catch((error: unknown) => this.#lacksLine(upgrade, error))
  }

  #lacksLine(upgrade: Upgrade, error: unknown): void {
    this.#parts.log.error('upgrade.history', { ...this.#fields(upgrade), reason: errorMessage(error) })
  }

  /** Journal and figures become the receipt. */
  async #conclude(upgrade: Upgrade): Promise<void> {
    const { log } = this.#parts
    const measured = this.#figures?.measured(upgrade) ?? unmeasured
    await this.#keepReceipt(upgrade, measured).catch((error: unknown) =>
      log.error('upgrade.action_failed', { ...this.#fields(upgrade), action_for: 'receipt', reason: errorMessage(error) }),
    )
    log.info('upgrade.concluded', {
      ...this.#fields(upgrade),
      result: upgrade.phase,
      duration_ms: upgrade.since - upgrade.beganAt,
      cut: measured.cut,
      failed: measured.failed,
    })
  }

  async #keepReceipt({ id }: Upgrade, measured: Measured): Promise<void> {
    const { journal, keepReceipt } = this.#parts
    const receipt = receiptOf(await journal.entries(id), measured)
    if (receipt !== null) await keepReceipt(receipt)
  }

  #over(upgrade: Upgrade): void {
    const { metrics, world } = this.#parts
    this.#watch?.cancel()
    this.#analyst.end()
    metrics.stage('total', (world.now() - upgrade.beganAt) / 1000)
  }

  /** `event` is what the action's end says, `trouble` what it says if it fails. */
  #then(work: Promise<unknown>, event: Event, trouble: 'start-failed' | 'warm-failed' | 'stop-failed', at: Upgrade): void {
    const failed = (error: unknown) => {
      this.#parts.log.error('upgrade.action_failed', {
        ...this.#fields(this.#parts.keeper.running),
        action_for: event.is,
        reason: errorMessage(error),
      })
      this.#take({ is: trouble, detail: errorMessage(error) }, at)
    }
    work.then(() => this.#take(event, at), failed)
  }
}
