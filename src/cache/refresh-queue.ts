/**
 * Keys that changed while clients were reading them, to be read again: soon, but each at most once in `everyMs`, and all together at most
 * `perSecond`; what has no place is left dropped. One hot key that is written at a high rate would otherwise cost each sidecar a read a
 * write.
 */
import type { Timer, World } from '../world.ts'
import type { Name } from './entry.ts'
import type { Want } from './read-keys.ts'

export interface RefreshLimits {
  readonly everyMs: number
  readonly perSecond: number
}

interface Waiting<View> {
  readonly want: Want
  readonly views: Set<View>
  /** Monotonic ms from which it may be read. */
  readonly dueAt: number
}

/** After an own write Redis tells of it too, a little later: a read that began before that is for nothing. */
const settleMs = 5
const lookEveryMs = 10

export class RefreshQueue<View> {
  readonly #limits: RefreshLimits
  readonly #world: Pick<World, 'after' | 'elapsed'>
  readonly #read: (name: Name, want: Want, views: readonly View[]) => void
  readonly #waiting = new Map<Name, Waiting<View>>()
  #timer: Timer | null = null
  /** Reads that may be begun now: what a look does not use, the next one has. */
  #left = 0

  constructor(
    limits: RefreshLimits,
    world: Pick<World, 'after' | 'elapsed'>,
    read: (name: Name, want: Want, views: readonly View[]) => void,
  ) {
    this.#limits = limits
    this.#world = world
    this.#read = read
  }

  /** `readAt`: when it was last read, monotonic ms. False where it has no place. */
  add(name: Name, want: Want, views: Iterable<View>, readAt: number): boolean {
    if (this.join(name, views)) return true
    if (this.#waiting.size >= this.#limits.perSecond) return false
    const dueAt = Math.max(this.#world.elapsed() + settleMs, readAt + this.#limits.everyMs)
    this.#waiting.set(name, { want, views: new Set(views), dueAt })
    this.#timer ??= this.#world.after(lookEveryMs, () => this.#look())
    return true
  }

  /** For these views too, if it waits already; false: it does not. */
  join(name: Name, views: Iterable<View>): boolean {
    const known = this.#waiting.get(name)
    if (known === undefined) return false
    for (const view of views) known.views.add(view)
    return true
  }

  clear(): void {
    this.#waiting.clear()
    this.#timer?.cancel()
    this.#timer = null
  }

  get size(): number {
    return this.#waiting.size
  }

  #look(): void {
    this.#timer = null
    const now = this.#world.elapsed()
    const perLook = (this.#limits.perSecond * lookEveryMs) / 1_000
    this.#left = Math.min(this.#left + perLook, Math.max(1, perLook))
    for (const [name, { want, views, dueAt }] of this.#waiting) {
      if (this.#left < 1) break
      if (dueAt > now) continue
      this.#left -= 1
      this.#waiting.delete(name)
      this.#read(name, want, [...views])
    }
    if (this.#waiting.size > 0) this.#timer = this.#world.after(lookEveryMs, () => this.#look())
  }
}
