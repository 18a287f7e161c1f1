/** The share of reads that a view would answer, by the names that were read most: a lower bound, since only reads that are sure count. */
import type { World } from '../../world.ts'
import type { Name } from '../entry.ts'
import type { View } from '../view.ts'
import type { HotList } from './hot-list.ts'

/** It looks for each name: some milliseconds for 20,000. */
const everyMs = 500

export class Prediction {
  readonly #world: Pick<World, 'elapsed'>
  readonly #view: Pick<View, 'peek'>
  /** Names as the view has them. */
  readonly #list: HotList
  #last: { readonly at: number; readonly share: number } | null = null

  constructor(world: Pick<World, 'elapsed'>, view: Pick<View, 'peek'>, { names, reads }: HotList, nameIn: (name: Name) => Name) {
    this.#world = world
    this.#view = view
    this.#list = { names: names.map((each) => ({ name: nameIn(each.name), reads: each.reads })), reads }
  }

  /** Null where nothing was read yet. */
  share(): number | null {
    const now = this.#world.elapsed()
    if (this.#list.reads === 0) return null
    if (this.#last === null || now - this.#last.at >= everyMs) this.#last = { at: now, share: this.#count(now) }
    return this.#last.share
  }

  /** Counted anew the next time. */
  forget(): void {
    this.#last = null
  }

  #count(now: number): number {
    let answered = 0
    for (const { name, reads } of this.#list.names) {
      if ((this.#view.peek(name)?.deadline ?? 0) > now) answered += reads
    }
    return answered / this.#list.reads
  }
}
