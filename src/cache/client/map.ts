/** What baton has told: a recency list, each key with its own end. */
import { LRUCache } from 'lru-cache'
import type { Name } from './name.ts'

export type Bytes = string | Buffer

export type Payload =
  | { readonly is: 'absent' }
  /** As it came; text where it is text. */
  | { readonly is: 'value'; readonly value: Bytes }
  | { readonly is: 'hash'; readonly fields: readonly (readonly [field: Bytes, value: Bytes])[] }

export interface Held {
  readonly payload: Payload
  /** Monotonic ms from which it answers nothing. */
  readonly deadline: number
}

/** `max` keys, or about `maxBytes` of memory. */
export type MapSize = { readonly max: number; readonly maxBytes?: never } | { readonly maxBytes: number; readonly max?: never }

/** Of a key or a field, beside its text. */
const overheadBytes = 150

export class HeldMap {
  readonly #list: LRUCache<Name, Held>

  constructor(size: MapSize) {
    this.#list =
      size.max === undefined
        ? new LRUCache({ maxSize: size.maxBytes, sizeCalculation: ({ payload }, name) => bytesOf(name, payload) })
        : new LRUCache({ max: size.max })
  }

  get(name: Name): Held | undefined {
    return this.#list.get(name)
  }

  set(name: Name, held: Held): void {
    this.#list.set(name, held)
  }

  /** False where it was not held. */
  delete(name: Name): boolean {
    return this.#list.delete(name)
  }

  clear(): void {
    this.#list.clear()
  }

  get size(): number {
    return this.#list.size
  }
}

function bytesOf(name: Name, payload: Payload): number {
  const own = name.length + overheadBytes
  if (payload.is === 'absent') return own
  if (payload.is === 'value') return own + payload.value.length
  return payload.fields.reduce((sum, [field, value]) => sum + field.length + value.length + overheadBytes, own)
}
