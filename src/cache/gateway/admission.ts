/**
 * A key is read into the cache at its second miss: the first of the many that are asked for once costs Redis nothing more. One that was not
 * to be kept (too big, of another type) is tried again after many more.
 */
import type { Name } from '../entry.ts'

/** Of each of two generations. */
const size = 16_384
const missesAfterRefusal = 64

export class Admission {
  /** Misses of each; below 0 there are that many to come. */
  #recent = new Map<Name, number>()
  #older = new Map<Name, number>()

  /** True from the second miss on, as long as not too many others came between. */
  missed(name: Name): boolean {
    const misses = (this.#recent.get(name) ?? this.#older.get(name) ?? 0) + 1
    this.#note(name, misses)
    return misses >= 2
  }

  refused(name: Name): void {
    this.#note(name, -missesAfterRefusal)
  }

  #note(name: Name, misses: number): void {
    this.#recent.set(name, misses)
    if (this.#recent.size < size) return
    this.#older = this.#recent
    this.#recent = new Map()
  }
}
