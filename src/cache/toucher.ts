/**
 * Tells Redis of keys that are read here alone: under an eviction policy that goes by use, they would be the first to go (CACHE.md
 * section 5).
 */
import { errorMessage } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { Timer, World } from '../world.ts'
import { keyOf, type Name } from './entry.ts'
import type { Session } from './session.ts'
import type { View } from './view.ts'

const everyMs = 60_000
const batchSize = 256

export class Toucher {
  readonly #views: readonly View[]
  readonly #session: () => Session | null
  readonly #log: Log
  readonly #timer: Timer

  constructor(views: readonly View[], session: () => Session | null, log: Log, world: Pick<World, 'every'>) {
    this.#views = views
    this.#session = session
    this.#log = log
    this.#timer = world.every(everyMs, () => void this.touch())
  }

  /** The policy is that of the server that is tracked now. */
  begin(): void {
    const isByUse = /lru|lfu/.test(this.#session()?.server.evictionPolicy ?? '')
    for (const view of this.#views) view.touched = isByUse ? (view.touched ?? new Set()) : null
  }

  async touch(): Promise<void> {
    const session = this.#session()
    const names = new Set<Name>()
    for (const view of this.#views) {
      if (view.touched === null) continue
      for (const name of view.touched) names.add(name)
      view.touched = new Set()
    }
    if (session === null) return
    const all = [...names]
    try {
      for (let at = 0; at < all.length; at += batchSize) await session.aside([['TOUCH', ...all.slice(at, at + batchSize).map(keyOf)]])
    } catch (error) {
      // the lost session has been told of already
      this.#log.debug('cache.not_touched', { reason: errorMessage(error) })
    }
  }

  stop(): void {
    this.#timer.cancel()
  }
}
