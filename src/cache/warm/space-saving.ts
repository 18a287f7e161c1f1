/**
 * The names that come most often in a stream, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient computation of
 * frequent and top-k elements in data streams", ICDT 2005). A name that has no slot takes that of the rarest one, with its count as the
 * error. The paper's linked buckets are an array here: slots by falling count, those of one count side by side, so that counting one up
 * is a swap with the first of its count.
 *
 * Of a name that is counted: `count - error` ≤ its true count ≤ `count`. One that is not came no more often than the rarest that is.
 * After a halving the upper bounds hold within less than one.
 */
import type { Name } from '../entry.ts'

export interface Counted {
  readonly name: Name
  readonly count: number
  /** Of `count`, what it may owe to the names that had its slot before. */
  readonly error: number
}

export class SpaceSaving {
  /** All that was added, halved with the counts. */
  total = 0
  readonly #slots: number
  readonly #slotOf = new Map<Name, number>()
  readonly #names: Name[] = []
  readonly #counts: Uint32Array
  readonly #errors: Uint32Array
  /** Slots by falling count; from `size` on the free ones. */
  readonly #order: Uint32Array
  /** Where in that order a slot stands. */
  readonly #places: Uint32Array
  /** The first place of each count that there is. */
  readonly #firsts = new Map<number, number>()
  #size = 0

  constructor(slots: number) {
    this.#slots = slots
    this.#counts = new Uint32Array(slots)
    this.#errors = new Uint32Array(slots)
    this.#order = Uint32Array.from({ length: slots }, (_, slot) => slot)
    this.#places = Uint32Array.from(this.#order)
  }

  get size(): number {
    return this.#size
  }

  add(name: Name): void {
    this.total += 1
    this.#countUp(this.#slotOf.get(name) ?? this.#slotFor(name))
  }

  /** What came long ago counts for less; a name that came once since is forgotten. */
  halve(): void {
    this.total /= 2
    this.#firsts.clear()
    const before = this.#size
    this.#size = 0
    for (let place = 0; place < before; place += 1) {
      const slot = at(this.#order, place)
      const count = at(this.#counts, slot) >>> 1
      const sure = (at(this.#counts, slot) - at(this.#errors, slot)) >>> 1
      this.#counts[slot] = count
      this.#errors[slot] = count - sure
      if (count === 0) {
        this.#slotOf.delete(this.#names[slot] ?? '')
        continue
      }
      this.#size += 1
      if (!this.#firsts.has(count)) this.#firsts.set(count, place)
    }
  }

  /** The most frequent first. */
  top(most: number): Counted[] {
    const found: Counted[] = []
    for (let place = 0; place < Math.min(most, this.#size); place += 1) {
      const slot = at(this.#order, place)
      found.push({ name: this.#names[slot] ?? '', count: at(this.#counts, slot), error: at(this.#errors, slot) })
    }
    return found
  }

  /** One whose count is to be counted up. */
  #slotFor(name: Name): number {
    const isFull = this.#size === this.#slots
    const slot = at(this.#order, isFull ? this.#size - 1 : this.#size)
    if (isFull) {
      this.#slotOf.delete(this.#names[slot] ?? '')
      this.#errors[slot] = at(this.#counts, slot)
    } else {
      this.#size += 1
      this.#errors[slot] = 0
    }
    this.#names[slot] = name
    this.#slotOf.set(name, slot)
    return slot
  }

  #countUp(slot: number): void {
    const count = at(this.#counts, slot)
    const place = at(this.#places, slot)
    const first = this.#firsts.get(count) ?? place
    const other = at(this.#order, first)
    this.#order[place] = other
    this.#places[other] = place
    this.#order[first] = slot
    this.#places[slot] = first
    this.#counts[slot] = count + 1
    const next = first + 1
    if (next < this.#size && this.#counts[at(this.#order, next)] === count) this.#firsts.set(count, next)
    else this.#firsts.delete(count)
    if (!this.#firsts.has(count + 1)) this.#firsts.set(count + 1, first)
  }
}

function at(array: Uint32Array, index: number): number {
  return array[index] ?? 0
}
