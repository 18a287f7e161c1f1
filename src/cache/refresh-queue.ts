/**
 * Keys that changed while clients were reading them, to be read again: each at most once in `everyMs`, all together at most `perSecond`;
 * what has no place is left dropped. One hot key that is written at a high rate would otherwise cost each sidecar a read a write.
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
  readonly since: number
}

/** After an own write Redis tells of it too, a little later: a read that began before that is for nothing. */
const settleMs = 5

export class RefreshQueue<View> {
  readonly #limits: RefreshLimits
  readonly #world: Pick<World, 'after' | 'elapsed'>
  readonly #read: (name: Name, want: Want, views: readonly View[]) => void
  readonly #waiting = new Map<Name, Waiting<View>>()
  #timer: Timer | null = null

  constructor(
    limits: RefreshLimits,
    world: Pick<World, 'after' | 'elapsed'>,
    read: (name: Name, want: Want, views: readonly View[]) => void,
  ) {
    this.#limits = limits
    this.#world = world
    this.#read = read
  }

  /** False where it has no place. */
  add(name: Name, want: Want, views: Iterable<View>): boolean {
    const known = this.#waiting.get(name)
    if (known !== undefined) {
      for (const view of views) known.views.add(view)
      return true
    }
    if (this.#waiting.size >= this.#limits.perSecond) return false
    this.#waiting.set(name, { want, views: new Set(views), since: this.#world.elapsed() })
    this.#timer ??= this.#world.after(this.#limits.everyMs, () => this.#tick())
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

  #tick(): void {
    this.#timer = null
    const now = this.#world.elapsed()
    let left = Math.max(1, Math.floor((this.#limits.perSecond * this.#limits.everyMs) / 1_000))
    for (const [name, { want, views, since }] of [...this.#waiting]) {
      if (left === 0) break
      if (now - since < settleMs) continue
      left -= 1
      this.#waiting.delete(name)
      this.#read(name, want, [...views])
    }
    if (this.#waiting.size > 0) this.#timer = this.#world.after(this.#limits.everyMs, () => this.#tick())
  }
}
