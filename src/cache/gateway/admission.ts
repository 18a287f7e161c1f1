/** A key is read into the cache at its second miss: the first of the many that are asked for once costs Redis nothing more. */
import type { Name } from '../entry.ts'

/** Of each of two generations. */
const size = 16_384

export class Admission {
  #recent = new Set<Name>()
  #older = new Set<Name>()

  /** True from the second miss on, as long as not too many others came between. */
  missed(name: Name): boolean {
    if (this.#recent.has(name) || this.#older.has(name)) return true
    this.#recent.add(name)
    if (this.#recent.size >= size) {
      this.#older = this.#recent
      this.#recent = new Set()
    }
    return false
  }
}
