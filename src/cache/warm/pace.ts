/** So many keys a second, by the world's clock. What shares one is slower together. */
import { pause, type World } from '../../world.ts'

/** A late timer's time is made up for, up to this. */
const slackMs = 20

export class Pace {
  readonly #world: Pick<World, 'elapsed' | 'after'>
  readonly #perSecond: number
  /** When the next may begin. */
  #next = Number.NEGATIVE_INFINITY

  constructor(world: Pick<World, 'elapsed' | 'after'>, perSecond: number) {
    this.#world = world
    this.#perSecond = perSecond
  }

  /** Resolves when so many may be read. */
  async take(keys: number): Promise<void> {
    const now = this.#world.elapsed()
    const mine = Math.max(this.#next, now - slackMs)
    this.#next = mine + (keys * 1_000) / this.#perSecond
    if (mine > now) await pause(this.#world, mine - now)
  }
}
