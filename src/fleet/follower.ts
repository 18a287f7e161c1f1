/**
 * This instance's part in a fleet's upgrade: it looks at the key once a second, does what the goal asks of its own upgrade, demands a
 * rollback when its own has gone back, and moves the goal on when it is the first to see that all are there. While etcd is away nothing
 * moves: its upgrade stays at its step, and its own verdict still protects it.
 */
import type { Store, Unchanged } from '../config/etcd/store.ts'
import type { PlanSettings } from '../config/settings.ts'
import type { Timer, World } from '../world.ts'
import { type Deed, deedFor, nextGoal, type Standing } from './lockstep.ts'
import { readRoster } from './roster.ts'
import type { SharedUpgrade } from './shared-upgrade.ts'
import { type Found, moveUpgrade, readUpgrade } from './upgrade-log.ts'

/** The instance's own upgrade, as the fleet moves it. */
export interface OwnUpgrade {
  standing(): Omit<Standing, 'configRevision'>
  /** Begins it under the fleet's name; its steps end by `promote` alone. Rejects where it cannot be begun. */
  join(upgrade: { readonly id: string; readonly to: string; readonly plan: PlanSettings }): Promise<unknown>
  promote(step: number): Promise<unknown>
  rollBack(): Promise<unknown>
}

export interface FollowerParts {
  readonly store: Pick<Store, 'get' | 'list' | 'commit'>
  readonly prefix: string
  readonly self: string
  readonly world: Pick<World, 'now' | 'every'>
  readonly warn: (message: string, error: unknown) => void
  readonly own: OwnUpgrade
  /** Of the configuration in etcd that runs here; 0 is none yet. */
  configRevision(): number
  /** Default 1,000. */
  readonly lookMs?: number
}

export class Follower {
  readonly #parts: FollowerParts
  #timer: Timer | null = null
  #looking: Promise<void> | null = null
  #stopped = false
  #failing = false

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  start(): void {
    const { world, lookMs = 1_000 } = this.#parts
    this.#timer = world.every(lookMs, () => this.look())
    this.look()
  }

  look(): void {
    if (this.#stopped || this.#looking !== null) return
    this.#looking = this.#look().finally(() => {
      this.#looking = null
    })
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#looking
  }

  async #look(): Promise<void> {
    const { store, prefix, warn } = this.#parts
    try {
      const found = await readUpgrade(store, prefix)
      if (found.isForeign && !this.#failing) warn('the upgrade in etcd is of another build; this instance takes no part in it', prefix)
      this.#failing = found.isForeign
      if (found.upgrade !== null && !this.#stopped) await this.#follow(found.upgrade, found)
    } catch (error) {
      if (!this.#failing) warn('the upgrade of the fleet cannot be followed now', error)
      this.#failing = true
    }
  }

  async #follow(upgrade: SharedUpgrade, { revision }: Found): Promise<void> {
    const { own, self, configRevision } = this.#parts
    const deed = deedFor(upgrade, { ...own.standing(), configRevision: configRevision() }, self)
    if (deed !== null) return await this.#act(deed, upgrade, revision)
    await this.#drive(upgrade, revision)
  }

  async #act(deed: Deed, upgrade: SharedUpgrade, revision: number): Promise<void> {
    const { own } = this.#parts
    switch (deed.do) {
      case 'join':
        await own.join(upgrade)
        return
      case 'promote':
        await own.promote(deed.step)
        return
      case 'roll-back':
        await own.rollBack()
        return
      case 'demand':
        // Somebody else may have moved the goal: the next look demands it again of that one.
        await this.#move({ ...upgrade, goal: deed.goal }, revision)
        return
      case 'supersede':
        await this.#move({ ...upgrade, isSuperseded: true }, revision)
        return
    }
  }

  /** Every instance tries; the first one moves it, and only if all others still say what they said. */
  async #drive(upgrade: SharedUpgrade, revision: number): Promise<void> {
    const { store, prefix, own } = this.#parts
    if (upgrade.goal.is !== 'step' || own.standing().upgrade?.isMet !== true) return
    const { instances, unknown, unchanged } = await readRoster(store, prefix)
    const goal = unknown.length > 0 ? null : nextGoal(upgrade, instances)
    if (goal !== null) await this.#move({ ...upgrade, goal }, revision, goal.is === 'commit' ? [unchanged] : [])
  }

  async #move(next: SharedUpgrade, revision: number, also: readonly Unchanged[] = []): Promise<void> {
    const { store, prefix, world } = this.#parts
    await moveUpgrade(store, prefix, { ...next, movedAt: world.now() }, revision, also)
  }
}
