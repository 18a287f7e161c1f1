/** Orders about one version, outside an upgrade: stable, drain, undrain, retire; and the warm spare that an upgrade leaves behind. */
import type { Dynamic } from '../config/settings.ts'
import { errorMessage } from '../errors.ts'
import type { VersionName } from '../routing/route.ts'
import type { Log } from '../telemetry/log.ts'
import type { Timer, World } from '../world.ts'
import { isIdle, servesAgain, stopsForGood } from './ledger.ts'
import type { LedgerKeeper } from './ledger-keeper.ts'
import type { OrderOutcome } from './order-outcome.ts'
import type { VersionControl } from './version-control.ts'

export interface VersionOrdersParts {
  readonly world: World
  readonly log: Log
  readonly keeper: LedgerKeeper
  readonly versions: Pick<VersionControl, 'apply' | 'isServing' | 'isReady' | 'whyNotServing' | 'drain' | 'undrain' | 'retire'>
  /** Roles have changed: lay them over the running snapshot. */
  route(): void
  dynamic(): Pick<Dynamic, 'versions'>
}

/** Between looks at the spare's time. */
const spareLookMs = 1_000

export class VersionOrders {
  readonly #parts: VersionOrdersParts
  #spareTimer: Timer | null = null

  constructor(parts: VersionOrdersParts) {
    this.#parts = parts
  }

  /** The plain order: this version is stable now. */
  stable(name: VersionName): Promise<OrderOutcome> {
    const { keeper, versions } = this.#parts
    return keeper.inTurn(async () => {
      if (!this.#isConfigured(name)) return unknown(name)
      if (keeper.running !== null) return { is: 'refused', reason: `upgrade ${keeper.running.id} is under way` }
      if (name === keeper.ledger.stable) return this.#unchanged()
      if (!versions.isServing(name)) return { is: 'refused', reason: versions.whyNotServing(name) }
      await this.#makeStable(name)
      return this.#accepted()
    })
  }

  /** It takes no exchange from now on, and lives on. `force`: even if it is stable. */
  drain(name: VersionName, force: boolean): Promise<OrderOutcome> {
    const { keeper, versions } = this.#parts
    return keeper.inTurn(async () => {
      const refusal = this.#whyNotDrain(name, force)
      if (refusal !== null) return refusal
      const { drained } = keeper.ledger
      if (drained.includes(name)) return this.#unchanged()
      await keeper.write({ drained: [...drained, name] })
      this.#later(versions.drain(name))
      return this.#accepted()
    })
  }

  /** Takes back a drain, or a retirement: then it starts again. */
  undrain(name: VersionName): Promise<OrderOutcome> {
    const { keeper, versions } = this.#parts
    return keeper.inTurn(async () => {
      if (!this.#isConfigured(name)) return unknown(name)
      if (!isIdle(keeper.ledger, name)) return this.#unchanged()
      await keeper.write(servesAgain(keeper.ledger, name))
      versions.undrain(name)
      this.#parts.route()
      versions.apply()
      return this.#accepted()
    })
  }

  /** Drained and stopped for good. `force`: even if it is stable. */
  retire(name: VersionName, force: boolean): Promise<OrderOutcome> {
    const { keeper, versions } = this.#parts
    return keeper.inTurn(async () => {
      const refusal = this.#whyNotDrain(name, force)
      if (refusal !== null) return refusal
      const wasRetired = keeper.ledger.retired.includes(name)
      if (!wasRetired) await keeper.write(stopsForGood(keeper.ledger, name))
      // one that is gone is no candidate any more
      this.#parts.route()
      // once more where it failed, or a crash came before it: what is gone already stays as it is
      this.#later(versions.retire(name))
      return wasRetired ? this.#unchanged() : this.#accepted()
    })
  }

  /** After an upgrade, while its old version is a warm spare: going back is one change of route. Within a turn. */
  async rollBackToSpare(): Promise<OrderOutcome> {
    const { keeper, versions } = this.#parts
    const { spare, upgrade } = keeper.ledger
    if (spare === null || upgrade?.phase !== 'done' || spare.version !== upgrade.from) {
      return { is: 'refused', reason: 'no upgrade is under way, and no warm spare is left to go back to; use "baton upgrade --to"' }
    }
    if (!versions.isReady(spare.version)) return { is: 'refused', reason: versions.whyNotServing(spare.version) }
    await this.#makeStable(spare.version)
    return this.#accepted()
  }

  /** Stops it for good; resolves when it is gone. Outside a turn: `isWanted` is asked in it, for what came before may have changed all. */
  async stopForGood(name: VersionName, isWanted: () => boolean): Promise<void> {
    const { keeper, versions } = this.#parts
    const stopped = await keeper.inTurn(async () => {
      if (!isWanted()) return null
      await keeper.write(stopsForGood(keeper.ledger, name))
      return { gone: versions.retire(name) }
    })
    await stopped?.gone
  }

  /** It lives on, drained, and is stopped for good when its time has passed; one before it is now. Outside a turn, as `stopForGood`. */
  async keepAsSpare(version: VersionName, forMs: number, isWanted: () => boolean): Promise<void> {
    const { keeper, world, versions } = this.#parts
    await keeper.inTurn(async () => {
      if (!isWanted()) return
      const { ledger } = keeper
      const former = ledger.spare?.version ?? version
      const others = former === version ? {} : stopsForGood(ledger, former)
      await keeper.write({ ...others, spare: { version, until: world.now() + forMs } })
      if (former !== version) this.#later(versions.retire(former))
    })
    this.watchSpare()
  }

  watchSpare(): void {
    const { keeper, world } = this.#parts
    this.#spareTimer?.cancel()
    const { spare } = keeper.ledger
    if (spare === null) return
    const leftMs = spare.until - world.now()
    // it is looked at again even when its time has passed: the journal may refuse its end now (a full disk)
    this.#spareTimer = world.after(leftMs > 0 ? Math.min(spareLookMs, leftMs) : spareLookMs, () => this.watchSpare())
    if (leftMs <= 0) this.#later(this.stopForGood(spare.version, () => keeper.ledger.spare === spare))
  }

  close(): void {
    this.#spareTimer?.cancel()
  }

  #isConfigured(name: VersionName): boolean {
    return Object.hasOwn(this.#parts.dynamic().versions, name)
  }

  #whyNotDrain(name: VersionName, force: boolean): OrderOutcome | null {
    const { running, ledger } = this.#parts.keeper
    if (!this.#isConfigured(name)) return unknown(name)
    if (running !== null && (name === running.from || name === running.to)) {
      return { is: 'refused', reason: `upgrade ${running.id} moves ${name}` }
    }
    if (name !== ledger.stable || force) return null
    return { is: 'refused', reason: `${name} is stable: all traffic would fail (--force does it)` }
  }

  async #makeStable(name: VersionName): Promise<void> {
    const { keeper, log, versions } = this.#parts
    await keeper.write({ stable: name, ...servesAgain(keeper.ledger, name) })
    versions.undrain(name)
    this.#parts.route()
    versions.apply()
    log.info('roles.moved', { stable: name })
  }

  #accepted(): OrderOutcome {
    return { is: 'accepted', upgrade: this.#parts.keeper.ledger.upgrade }
  }

  #unchanged(): OrderOutcome {
    return { is: 'unchanged', upgrade: this.#parts.keeper.ledger.upgrade }
  }

  #later(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#parts.log.error('rollout.failed', { reason: errorMessage(error) }))
  }
}

function unknown(name: VersionName): OrderOutcome {
  return { is: 'unknown', what: `version ${name}` }
}
