/**
 * The names that this instance reads most, counted from a sample and told in Redis, so that a version or an instance that comes later
 * knows what to warm. One sorted set an instance, `KEY:INSTANCE`, whose scores are reads that are sure, and one of all instances, `KEY`,
 * whose scores are when each told last. In an instance's set the empty name has the reads of all that is not told, so that the scores
 * sum up to all reads.
 */
import { errorMessage } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Timer, World } from '../../world.ts'
import { keyOf, type Name } from '../entry.ts'
import { type Aside, ask } from './ask.ts'
import { SpaceSaving } from './space-saving.ts'

export interface HotNamesSettings {
  /** Outside of the cached prefixes. */
  readonly key: Name
  readonly everyMs: number
  readonly ttlMs: number
  /** How many are told. */
  readonly top: number
}

export interface HotNamesParts {
  readonly world: Pick<World, 'now' | 'every' | 'random'>
  readonly log: Log
  readonly settings: HotNamesSettings
  readonly instance: string
  /** Null while there is none. */
  session(): Aside | null
  /** Default 20,000, of which about a tenth is told rightly. */
  readonly slots?: number
}

/** A longer one is left out of what is told. */
export const maxNameBytes = 512
const usualSlots = 20_000
/** One read of so many on average. */
const sampled = 8
/** In one command: what a publication takes of Redis and of the event loop at once. */
const chunkSize = 1_000

export class HotNames {
  readonly counts = { published: 0, failed: 0 }
  readonly #parts: HotNamesParts
  readonly #sketch: SpaceSaving
  /** Reads until the next that is counted. */
  #gap: number
  #timer: Timer | null = null
  #publishing = false

  constructor(parts: HotNamesParts) {
    this.#parts = parts
    this.#sketch = new SpaceSaving(parts.slots ?? usualSlots)
    this.#gap = this.#drawGap()
  }

  /** Of every read under the cached prefixes. */
  note(name: Name): void {
    this.#gap -= 1
    if (this.#gap > 0) return
    this.#gap = this.#drawGap()
    if (name.length > 0 && name.length <= maxNameBytes) this.#sketch.add(name)
  }

  start(): void {
    this.#timer = this.#parts.world.every(this.#parts.settings.everyMs, () => void this.publish())
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** Ends a period: what was counted is told, and halved. Never rejects. */
  async publish(): Promise<void> {
    const { log, settings } = this.#parts
    const session = this.#parts.session()
    const top = this.#sketch.top(settings.top)
    const total = this.#sketch.total
    this.#sketch.halve()
    // an instance that has just begun knows less than what it told before it ended
    if (session === null || this.#publishing || top.length === 0) return
    this.#publishing = true
    try {
      const told = top.map(({ name, count, error }) => ({ name, reads: count - error })).filter(({ reads }) => reads > 0)
      const rest = told.reduce((left, { reads }) => left - reads, total)
      await this.#write(session, [...told, { name: '', reads: Math.max(0, rest) }])
      this.counts.published += 1
    } catch (error) {
      this.counts.failed += 1
      // said once: it is tried again and again
      if (this.counts.failed === 1) log.warn('cache.hot_names_failed', { reason: errorMessage(error) })
    } finally {
      this.#publishing = false
    }
  }

  /** Piece by piece beside the set that readers see, which is replaced at the end. */
  async #write(session: Aside, told: readonly { readonly name: Name; readonly reads: number }[]): Promise<void> {
    const { instance, settings, world } = this.#parts
    const index = keyOf(settings.key)
    const own = Buffer.from(`${settings.key}:${instance}`, 'latin1')
    const half = Buffer.from(`${settings.key}:${instance}:half`, 'latin1')
    await ask(session, [['DEL', half]])
    for (let from = 0; from < told.length; from += chunkSize) {
      const members = told.slice(from, from + chunkSize).flatMap(({ name, reads }) => [reads, keyOf(name)])
      await ask(session, [
        ['ZADD', half, ...members],
        ['PEXPIRE', half, settings.ttlMs],
      ])
    }
    const now = world.now()
    await ask(session, [
      ['RENAME', half, own],
      ['ZADD', index, now, instance],
      ['ZREMRANGEBYSCORE', index, '-inf', `(${now - settings.ttlMs}`],
      ['PEXPIRE', index, settings.ttlMs],
    ])
  }

  /**
   * Between 1 and 15, a new one each time: with a fixed one, traffic that asks for the same eight keys in turn would show one of them.
   * Drawn once in eight reads.
   */
  #drawGap(): number {
    return 1 + Math.floor(this.#parts.world.random() * (2 * sampled - 1))
  }
}
