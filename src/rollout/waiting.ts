/** What an upgrade waits for where it stands: one thing at a time, until it comes or the upgrade moves. */
import type { VersionName } from '../routing/route.ts'
import type { Timer, World } from '../world.ts'
import type { Event, Upgrade } from './upgrade.ts'
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

  step(forMs: number, minRequests: number, upgrade: Upgrade): void {
    const { versions, world, came, mayAdvance } = this.#parts
    const until = upgrade.since + forMs
    const requests = versions.requests(upgrade.to) + minRequests
    const look = () => {
      const leftMs = until - world.now()
      const isMet = leftMs <= 0 && versions.requests(upgrade.to) >= requests
      // a step that takes no time has nothing that could be judged
      if (isMet && (forMs === 0 || mayAdvance())) return came({ is: 'step-met' }, upgrade)
      this.#timer = world.after(isMet ? verdictLookMs : leftMs > 0 ? Math.min(lookMs, leftMs) : lookMs, look)
    }
    look()
  }

  restore(forMs: number, upgrade: Upgrade): void {
    const { world, came } = this.#parts
    this.#timer = world.after(Math.max(0, upgrade.since + forMs - world.now()), () => came({ is: 'restored' }, upgrade))
  }

  end(): void {
    this.#timer?.cancel()
  }
}
