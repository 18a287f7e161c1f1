/**
 * What an app still has to be told, by name alone: the value is looked up when a batch is built.
 *
 * - *owed*: names of which the app may hold something else than the view does. One place a name, however often it changes.
 * - *walk*: after a start the app holds nothing, so that every name of the view is to be told once. It goes along the names as they come
 *   and go; what is new is reached by it, and what changes behind it is owed.
 *
 * Invariant: for each name the app agrees with the view, or the name is owed, or the walk has yet to reach it, or it was taken.
 */
import type { Name } from '../entry.ts'

export interface Taken {
  readonly name: Name
  readonly isOwed: boolean
}

export class Dirty {
  /** Of all that the view holds: a set can be walked while it changes, which a recency list cannot. */
  readonly #held: Set<Name>
  readonly #owed = new Set<Name>()
  #next: Iterator<Name> = this.#owed.values()
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
    if (this.#isFollowing && !(isNew && this.#walk !== null)) this.#owed.add(name)
  }

  /** The view holds nothing any more. */
  cleared(): void {
    this.#held.clear()
    if (this.#isFollowing) this.#restart()
  }

  /** To be told again, whatever the app has. */
  owe(name: Name): void {
    if (this.#isFollowing) this.#owed.add(name)
  }

  /** Everything is to be told, to an app that is cleared first. */
  start(): void {
    this.#isFollowing = true
    this.#restart()
  }

  /** Nobody is told: only the names are followed. */
  stop(): void {
    this.#restart()
    this.#isFollowing = false
    this.#isCleared = false
    this.#walk = null
  }

  /** Whether the app has to be cleared before all else; once. */
  takeClear(): boolean {
    const isCleared = this.#isCleared
    this.#isCleared = false
    return isCleared
  }

  /** What is owed comes first. */
  take(): Taken | null {
    const name = this.#nextOwed()
    if (name !== null) {
      this.#owed.delete(name)
      return { name, isOwed: true }
    }
    const returned = this.#returned
    if (returned !== null) {
      this.#returned = null
      return returned
    }
    const step = this.#walk?.next()
    if (step === undefined || step.done === true) {
      this.#walk = null
      return null
    }
    this.#walked += 1
    return { name: step.value, isOwed: false }
  }

  /** It had no place. */
  giveBack(taken: Taken): void {
    if (taken.isOwed) this.#owed.add(taken.name)
    else this.#returned = taken
  }

  /** Of names of which the app may hold something else. */
  get owed(): number {
    return this.#owed.size + (this.#isCleared ? 1 : 0)
  }

  get size(): number {
    const ahead = this.#walk === null ? 0 : Math.max(0, this.#held.size - this.#walked)
    return this.owed + ahead + (this.#returned === null ? 0 : 1)
  }

  get isEmpty(): boolean {
    return this.owed === 0 && this.#walk === null && this.#returned === null
  }

  #restart(): void {
    this.#owed.clear()
    this.#next = this.#owed.values()
    this.#walk = this.#held.values()
    this.#walked = 0
    this.#returned = null
    this.#isCleared = true
  }

  /** One iterator for many: a set that is emptied from its front would be looked through from there each time. */
  #nextOwed(): Name | null {
    let step = this.#next.next()
    if (step.done === true && this.#owed.size > 0) {
      this.#next = this.#owed.values()
      step = this.#next.next()
    }
    return step.done === true ? null : step.value
  }
}
