/** One version's part of the cache: its own recency and its own budget, over entries that it shares with the other versions. */
import { LRUCache } from 'lru-cache'
import type { Entry, Name } from './entry.ts'

export interface Budget {
  /** Of what is there. */
  readonly bytes: number
  /** Of keys that are known to be missing; apart, so that names made up at random evict nothing. */
  readonly absentBytes: number
}

/** Of the names that were hit within a minute. */
const maxTouched = 100_000

export class View {
  readonly version: string
  /** Told of each name whose entry is another one now (`isHeld`), or gone; null: all of them are gone. */
  onChange: (name: Name | null, isHeld: boolean) => void = () => {}
  /** Told of each name that clients ask for, whether it is held or not. */
  onRead: ((name: Name) => void) | null = null
  /** Names that were hit since somebody took them, where that is asked for. */
  touched: Set<Name> | null = null
  evictions = 0
  /** Of these, what was there and not known to be missing: the view is full. */
  presentEvictions = 0
  readonly #present: LRUCache<Name, Entry>
  readonly #absent: LRUCache<Name, Entry>
  /** Names that were hit since their entry was put in. */
  readonly #hit = new Set<Name>()

  constructor(version: string, { bytes, absentBytes }: Budget) {
    this.version = version
    this.#present = this.#list(bytes)
    this.#absent = this.#list(absentBytes)
  }

  /** For a client: the entry moves to the front. The caller looks at its deadline. */
  get(name: Name): Entry | undefined {
    const entry = this.#present.get(name) ?? this.#absent.get(name)
    if (entry !== undefined) {
      this.#hit.add(name)
      if (this.touched !== null && this.touched.size < maxTouched) this.touched.add(name)
    }
    this.onRead?.(name)
    return entry
  }

  /** Without a trace. */
  peek(name: Name): Entry | undefined {
    return this.#present.peek(name) ?? this.#absent.peek(name)
  }

  wasHit(name: Name): boolean {
    return this.#hit.has(name)
  }

  put(name: Name, entry: Entry): void {
    const [into, other] = entry.payload.is === 'absent' ? [this.#absent, this.#present] : [this.#present, this.#absent]
    other.delete(name)
    this.#hit.delete(name)
    into.set(name, entry)
    // one that is larger than the whole budget is not kept
    this.onChange(name, into.has(name))
  }

  /** False where it was not held. */
  drop(name: Name): boolean {
    this.#hit.delete(name)
    if (!this.#present.delete(name) && !this.#absent.delete(name)) return false
    this.onChange(name, false)
    return true
  }

  clear(): void {
    this.#hit.clear()
    this.#present.clear()
    this.#absent.clear()
    this.onChange(null, false)
  }

  /** Of what is there, the one that was used last first. */
  names(): IterableIterator<Name> {
    return this.#present.keys()
  }

  /** Of what is known to be missing. */
  absentNames(): IterableIterator<Name> {
    return this.#absent.keys()
  }

  get keys(): number {
    return this.#present.size
  }

  get absentKeys(): number {
    return this.#absent.size
  }

  get bytes(): number {
    return this.#present.calculatedSize + this.#absent.calculatedSize
  }

  #list(bytes: number): LRUCache<Name, Entry> {
    return new LRUCache({
      // 0 keeps nothing, and is no bound to the list: 1 is, and no entry is as small
      maxSize: Math.max(1, bytes),
      sizeCalculation: (entry: Entry) => entry.bytes,
      dispose: (entry, name, reason) => {
        if (reason !== 'evict') return
        this.evictions += 1
        if (entry.payload.is !== 'absent') this.presentEvictions += 1
        this.#hit.delete(name)
        this.onChange(name, false)
      },
    })
  }
}
