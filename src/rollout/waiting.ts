/** What an upgrade waits for where it stands: one thing at a time, until it comes or the upgrade moves. */
import type { VersionName } from '../routing/route.ts'
import type { Timer, World } from '../world.ts'
import { planStepOf } from './roles.ts'
import type { Event, In, Upgrade } from './upgrade.ts'
import type { VersionControl } from './version-control.ts'

export interface WaitingParts {
  readonly world: World
  readonly versions: Pick<VersionControl, 'isServing' | 'whyNotServing' | 'requests'>
  /** Looks at the verdict. */
  mayAdvance(): boolean
  came(event: Event, upgrade: Upgrade): void
}

/** Between two looks. */
const lookMs = 50
/** Between looks at a verdict that keeps the plan where it is: it is made from windows of minutes. */
const verdictLookMs = 500

export class Waiting {
  readonly #parts: WaitingParts
  #timer: Timer | null = null
  /** The step that was entered last, and what the new version had served by then. */
  #step = { seq: -1, requests: 0 }

  constructor(parts: WaitingParts) {
    this.#parts = parts
  }

  ready(name: VersionName, withinMs: number, upgrade: Upgrade): void {
    const { versions, world, came } = this.#parts
    const look = () => {
      if (versions.isServing(name)) came({ is: 'ready' }, upgrade)
      else if (world.now() > upgrade.since + withinMs) came({ is: 'not-ready-in-time', detail: versions.whyNotServing(name) }, upgrade)
      else this.#timer = world.after(lookMs, look)
    }
    look()
  }

  /** Counts from here; whoever ends the step. */
  enter(upgrade: In<'shift'>): void {
    this.#step = { seq: upgrade.seq, requests: this.#parts.versions.requests(upgrade.to) }
  }

  step(upgrade: In<'shift'>): void {
    const { world, came } = this.#parts
    const look = () => {
      const leftMs = this.#leftMs(upgrade)
      if (this.isMet(upgrade)) return came({ is: 'step-met' }, upgrade)
      this.#timer = world.after(this.#isServed(upgrade) ? verdictLookMs : leftMs > 0 ? Math.min(lookMs, leftMs) : lookMs, look)
    }
    look()
  }

  /** The step's time has passed, its requests were served, and the verdict lets it go on. */
  isMet(upgrade: In<'shift'>): boolean {
    // a step that takes no time has nothing that could be judged
    return this.#isServed(upgrade) && ((planStepOf(upgrade)?.forMs ?? 0) === 0 || this.#parts.mayAdvance())
  }

  #isServed(upgrade: In<'shift'>): boolean {
    const { seq, requests } = this.#step
    const wanted = requests + (planStepOf(upgrade)?.minRequests ?? 0)
    return this.#leftMs(upgrade) <= 0 && seq === upgrade.seq && this.#parts.versions.requests(upgrade.to) >= wanted
  }

  #leftMs(upgrade: In<'shift'>): number {
    return upgrade.since + (planStepOf(upgrade)?.forMs ?? 0) - this.#parts.world.now()
  }

  restore(forMs: number, upgrade: Upgrade): void {
    const { world, came } = this.#parts
    this.#timer = world.after(Math.max(0, upgrade.since + forMs - world.now()), () => came({ is: 'restored' }, upgrade))
  }

  end(): void {
    this.#timer?.cancel()
  }
}
