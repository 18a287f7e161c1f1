/**
 * After a lost session: what each view held is read again, hottest first, at the rate of a warm-up. Names that a next loss finds unread
 * are not forgotten; those that clients have read meanwhile are not read again.
 */
import type { World } from '../../world.ts'
import type { Name } from '../entry.ts'
import type { View } from '../view.ts'
import type { Pace } from './pace.ts'
import type { WarmTracker } from './warm-tracker.ts'

export interface ReWarmParts {
  readonly world: Pick<World, 'elapsed'>
  readonly tracker: WarmTracker
  /** The tracker's own, which may change. */
  readonly views: readonly View[]
  readonly pace: Pace
  /** Keys in one round trip. */
  readonly batch: number
  /** Of each view. */
  readonly most: number
}

export class ReWarm {
  readonly #parts: ReWarmParts
  /** Hottest first, with the views that held it. */
  #names = new Map<Name, Set<View>>()
  /** A loss, or the end, makes a new one: whoever reads for an older one stops. */
  #run = 0

  constructor(parts: ReWarmParts) {
    this.#parts = parts
  }

  /** Names that are still to be read. */
  get left(): number {
    return this.#names.size
  }

  /** Before the views are emptied. */
  lost(): void {
    const { views, most } = this.#parts
    this.#run += 1
    const before = this.#names
    this.#names = new Map()
    const counts = new Map<View, number>()
    const take = (name: Name, view: View) => {
      const count = counts.get(view) ?? 0
      const holders = this.#names.get(name) ?? new Set()
      if (count >= most || holders.has(view)) return
      counts.set(view, count + 1)
      this.#names.set(name, holders.add(view))
    }
    const lists = views.map((view) => ({ view, names: view.names() }))
    for (let rank = 0; rank < most; rank += 1) {
      for (const { view, names } of lists) {
        const next = names.next()
        if (next.done !== true) take(next.value, view)
      }
    }
    for (const [name, holders] of before) for (const view of holders) take(name, view)
  }

  /** Tracked again. */
  live(): void {
    this.#run += 1
    void this.#read(this.#run)
  }

  stop(): void {
    this.#run += 1
    this.#names.clear()
  }

  async #read(run: number): Promise<void> {
    const { pace, tracker } = this.#parts
    while (this.#names.size > 0) {
      const names = this.#next()
      await pace.take(names.length)
      if (run !== this.#run) return
      await Promise.all(names.flatMap(({ name, missing }) => missing.map((view) => tracker.filled(name, 'any', view))))
      if (run !== this.#run) return
      for (const { name } of names) this.#names.delete(name)
    }
  }

  /** A batch, each with the views that lack it. What none lacks any more is left out. */
  #next(): { readonly name: Name; readonly missing: readonly View[] }[] {
    const batch: { name: Name; missing: readonly View[] }[] = []
    for (const [name, holders] of this.#names) {
      const missing = this.#missing(name, holders)
      if (missing.length === 0) this.#names.delete(name)
      else if (batch.push({ name, missing }) === this.#parts.batch) break
    }
    return batch
  }

  /** A version may be gone by now. */
  #missing(name: Name, holders: ReadonlySet<View>): View[] {
    const { views, world } = this.#parts
    const now = world.elapsed()
    return [...holders].filter((view) => views.includes(view) && (view.peek(name)?.deadline ?? 0) <= now)
  }
}
