/** One command of a client, or a run of them, until its reply has gone out: replies leave in the order of their commands. */
import type { Settle } from './client-state.ts'
import { type Effect, nothing } from './command-table.ts'

export interface Slot {
  /** The reply, where it was answered here; null: it comes from Redis. */
  readonly local: Buffer | null
  /** What has to be dropped before the reply goes on. */
  effect: Effect
  settle: Settle | null
  /** The keys of a read that was missed, for the cache to take in. */
  readonly missed: Missed | null
  /** A question of the gateway's own: the client does not see the reply. */
  readonly own: ((reply: Buffer) => void) | null
  /** Its effect has been carried out; of a run, for the reply that is coming. */
  begun: boolean
  /** Null: it is one command's. Else how many replies are to come: of so many that they are not told apart. */
  run: number | null
}

export interface Missed {
  readonly name: string
  readonly args: readonly Buffer[]
}

export function localSlot(local: Buffer): Slot {
  return { local, effect: nothing, settle: null, missed: null, own: null, begun: true, run: null }
}

export function passedSlot(effect: Effect, settle: Settle | null, missed: Missed | null): Slot {
  return { local: null, effect, settle, missed, own: null, begun: false, run: null }
}

function runSlot(): Slot {
  return { local: null, effect: nothing, settle: null, missed: null, own: null, begun: false, run: 0 }
}

export function ownSlot(own: (reply: Buffer) => void): Slot {
  return { local: null, effect: nothing, settle: null, missed: null, own, begun: false, run: null }
}

/** First in, first out, without moving what is left. */
export class Slots {
  #items: (Slot | null)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  get first(): Slot | null {
    return this.#items[this.#head] ?? null
  }

  push(slot: Slot): void {
    this.#items.push(slot)
  }

  /** The run at the end, with one reply more: a new one, unless there is one whose last reply has not begun. */
  extendRun(): Slot {
    const last = this.#items.at(-1)
    const isOpen = last !== undefined && last !== null && last.run !== null && !last.begun
    const slot = isOpen ? last : runSlot()
    if (!isOpen) this.push(slot)
    slot.run = (slot.run ?? 0) + 1
    return slot
  }

  shift(): void {
    this.#items[this.#head] = null
    this.#head += 1
    if (this.#head === this.#items.length) {
      this.#items.length = 0
      this.#head = 0
    } else if (this.#head >= 1_024) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
  }

  *rest(): Iterable<Slot> {
    for (let at = this.#head; at < this.#items.length; at += 1) {
      const slot = this.#items[at]
      if (slot !== null && slot !== undefined) yield slot
    }
  }
}
