/**
 * The app's own writes, numbered in the order in which they began. Until a batch says that it was built after Redis told of a write, what
 * that batch has of the written key may be older than the write: the key's *tombstone* keeps it out.
 */
import type { Name } from './name.ts'

interface Tombstone {
  readonly fence: number
  /** The map has lost the key by the write: baton has it, and does not know that the app has not. */
  isLost: boolean
}

/** More are one tombstone for all keys: `floor`. */
const maxTombstones = 10_000

export class Fences {
  #last = 0
  /** In their order. */
  readonly #underWay = new Set<number>()
  /** In the order of their fences. */
  readonly #tombstones = new Map<Name, Tombstone>()
  /** Batches below it are not taken at all. */
  #floor = 0

  /** `held`: those that the map had. */
  begin(names: readonly Name[], held: (name: Name) => boolean): number {
    this.#last += 1
    this.#underWay.add(this.#last)
    for (const name of names) {
      const isLost = held(name) || this.#tombstones.get(name)?.isLost === true
      this.#tombstones.delete(name)
      this.#tombstones.set(name, { fence: this.#last, isLost })
    }
    return this.#last
  }

  end(fence: number): void {
    this.#underWay.delete(fence)
  }

  /** The last one that has returned, as have all before it. */
  get returned(): number {
    for (const first of this.#underWay) return first - 1
    return this.#last
  }

  get floor(): number {
    return this.#floor
  }

  /** True: there were too many, so that everything held is to be dropped and told anew. */
  overflows(): boolean {
    if (this.#tombstones.size <= maxTombstones) return false
    this.#tombstones.clear()
    this.#floor = this.#last
    return true
  }

  /** Whether the key was written after all that the batch has heard of. */
  refuses(name: Name, fence: number): boolean {
    const tombstone = this.#tombstones.get(name)
    if (tombstone === undefined || tombstone.fence <= fence) return false
    tombstone.isLost = true
    return true
  }

  /** A batch has heard of the writes up to `fence`. */
  lift(fence: number): void {
    for (const [name, tombstone] of this.#tombstones) {
      if (tombstone.fence > fence) return
      this.#tombstones.delete(name)
    }
  }

  /** Lost keys whose writes have returned; each is told once. */
  *takeLost(upTo: number): Generator<Name> {
    for (const [name, tombstone] of this.#tombstones) {
      if (tombstone.fence > upTo) return
      if (!tombstone.isLost) continue
      tombstone.isLost = false
      yield name
    }
  }
}
