/**
 * What an app still has to be told, by name alone: the value is looked up when a batch is built.
 *
 * - *owed*: names of which the app may hold something else than the view does. One place a name, however often it changes.
 * - *lacked*: names of the view that the app does not hold: new ones, and those that it asked for.
 * - *walk*: after a start the app holds nothing, so that every name of the view is to be told once. It goes along the names as they come
 *   and go; what is new is reached by it, and what changes behind it is owed.
 *
 * Invariant: for each name the app agrees with the view, or the name is owed, or lacked, or the walk has yet to reach it, or it was taken.
 * Where nothing is owed, nothing that the app holds differs from the view.
 */
import type { Name } from '../entry.ts'

export interface Taken {
  readonly name: Name
  readonly isOwed: boolean
}

export class Dirty {
  /** Of all that the view holds: a set can be walked while it changes, which a recency list cannot. */
  readonly #held: Set<Name>
  readonly #owed = new NameQueue()
  readonly #lacked = new NameQueue()
  #walk: Iterator<Name> | null = null
  #walked = 0
  #returned: Taken | null = null
  #isCleared = false
  #isFollowing = false

  constructor(held: Iterable<Name>) {
    this.#held = new Set(held)
  }

  changed(name: Name, isHeld: boolean): void {
    const isNew = isHeld && !this.#held.has(name)
    if (isHeld) this.#held.add(name)
    else this.#held.delete(name)
    if (!this.#isFollowing) return
    if (!isNew) this.#owed.add(name)
    else if (this.#walk === null) this.lacks(name)
  }

  /** The app does not hold it. */
  lacks(name: Name): void {
    if (this.#isFollowing && !this.#owed.has(name)) this.#lacked.add(name)
  }

  /** The view holds nothing any more. */
  cleared(): void {
    this.#held.clear()
    if (this.#isFollowing) this.start()
  }

  /** Everything is to be told, to an app that is cleared first. */
  start(): void {
    this.stop()
    this.#isFollowing = true
    this.#isCleared = true
    this.#walk = this.#held.values()
  }

  /** Nobody is told: only the names are followed. */
  stop(): void {
    this.#isFollowing = false
    this.#isCleared = false
    this.#owed.clear()
    this.#lacked.clear()
    this.#returned = null
    this.#walk = null
    this.#walked = 0
  }

  /** Whether the app has to be cleared before all else; once. */
  takeClear(): boolean {
    const isCleared = this.#isCleared
    this.#isCleared = false
    return isCleared
  }

  /** What is owed comes first. */
  take(): Taken | null {
    const owed = this.#owed.take()
    if (owed !== null) return { name: owed, isOwed: true }
    const returned = this.#returned
    this.#returned = null
    if (returned !== null) return returned
    const name = this.#lacked.take() ?? this.#step()
    return name === null ? null : { name, isOwed: false }
  }

  /** It had no place. */
  giveBack(taken: Taken): void {
    if (taken.isOwed) this.#owed.add(taken.name)
    else this.#returned = taken
  }

  get owed(): number {
    return this.#owed.size + (this.#isCleared ? 1 : 0)
  }

  get size(): number {
    const ahead = this.#walk === null ? 0 : Math.max(0, this.#held.size - this.#walked)
    return this.owed + this.#lacked.size + ahead + (this.#returned === null ? 0 : 1)
  }

  get isEmpty(): boolean {
    return this.owed === 0 && this.#lacked.size === 0 && this.#walk === null && this.#returned === null
  }

  #step(): Name | null {
    const step = this.#walk?.next()
    if (step !== undefined && step.done !== true) {
      this.#walked += 1
      return step.value
    }
    this.#walk = null
    return null
  }
}

/** One iterator for many: a set that is emptied from its front would be looked through from there each time. */
class NameQueue {
  readonly #names = new Set<Name>()
  #next: Iterator<Name> = this.#names.values()

  add(name: Name): void {
    this.#names.add(name)
  }

  has(name: Name): boolean {
    return this.#names.has(name)
  }

  clear(): void {
    this.#names.clear()
  }

  take(): Name | null {
    if (this.#names.size === 0) return null
    let step = this.#next.next()
    if (step.done === true) {
      this.#next = this.#names.values()
      step = this.#next.next()
    }
    if (step.done === true) return null
    this.#names.delete(step.value)
    return step.value
  }

  get size(): number {
    return this.#names.size
  }
}
