/** What each key held from when to when, by doing again what Redis did. */
import type { Done } from './monitor.ts'

export interface Held {
  readonly value: string | ReadonlyMap<string, string>
  /** Redis's clock, ms; Infinity without a TTL. */
  readonly expiresAt: number
}
/** `unsure`: a command came so near to an expiry that its effect cannot be known. */
export type State = Held | null | 'unsure'

export interface Span {
  readonly state: State
  /** Position from which on it holds; halves are expiries. */
  readonly at: number
  readonly from: number
}

/** A command and the instant of an expiry nearer than this, ms, may have come in either order. */
const blurMs = 6

export class History {
  /** `0:name` → what it held, in order; before the first it was absent. */
  readonly spans = new Map<string, Span[]>()
  readonly #dbs = new Map<number, Map<string, State>>()
  #at = 0
  #time = 0
  #touched: string[] = []

  /** @returns the keys, `db:name`, that it may have changed */
  apply({ at, time, db, words }: Done): readonly string[] {
    this.#touched = []
    this.#expire(time)
    this.#at = at
    this.#time = time
    this.#do(db, words)
    return this.#touched
  }

  #do(db: number, [command = '', ...args]: readonly string[]): void {
    const [first = '', second = '', third = ''] = args
    switch (command.toUpperCase()) {
      case 'SET':
        return this.#put(db, first, { value: second, expiresAt: third.toUpperCase() === 'PX' ? this.#in(Number(args[3])) : forever })
      case 'MSET':
        for (let at = 0; at + 1 < args.length; at += 2) this.#put(db, args[at] ?? '', { value: args[at + 1] ?? '', expiresAt: forever })
        return
      case 'DEL':
      case 'UNLINK':
      case 'GETDEL':
        for (const name of args) this.#put(db, name, null)
        return
      case 'INCR':
        return this.#change(db, first, (held) => {
          if (held === null) return { value: '1', expiresAt: forever }
          return typeof held.value === 'string' && /^\d+$/.test(held.value) ? { ...held, value: String(Number(held.value) + 1) } : held
        })
      case 'HSET':
        return this.#change(db, first, (held) => {
          if (held !== null && typeof held.value === 'string') return held
          const fields = new Map(held === null ? [] : (held.value as ReadonlyMap<string, string>))
          for (let at = 1; at + 1 < args.length; at += 2) fields.set(args[at] ?? '', args[at + 1] ?? '')
          return { value: fields, expiresAt: held?.expiresAt ?? forever }
        })
      case 'HDEL':
        return this.#change(db, first, (held) => {
          if (held === null || typeof held.value === 'string') return held
          const fields = new Map(held.value)
          for (const field of args.slice(1)) fields.delete(field)
          return fields.size === 0 ? null : { ...held, value: fields }
        })
      case 'PEXPIRE':
        return this.#change(db, first, (held) => (held === null ? null : { ...held, expiresAt: this.#in(Number(second)) }))
      case 'PERSIST':
        return this.#change(db, first, (held) => (held === null ? null : { ...held, expiresAt: forever }))
      case 'RENAME':
        return this.#rename(db, first, second)
      case 'COPY':
        return this.#copy(db, first, second, args)
      case 'FLUSHDB':
        return this.#flush(db)
      case 'FLUSHALL':
        for (const each of this.#dbs.keys()) this.#flush(each)
        return
      case 'SWAPDB':
        return this.#swap(Number(first), Number(second))
    }
  }

  #rename(db: number, from: string, to: string): void {
    const held = this.#now(db, from)
    if (held === null) return
    if (from === to) return this.#put(db, to, held)
    this.#put(db, from, held === 'unsure' ? 'unsure' : null)
    this.#put(db, to, held)
  }

  /** `COPY from to [DB n] [REPLACE]` */
  #copy(db: number, from: string, to: string, args: readonly string[]): void {
    const held = this.#now(db, from)
    const into = args[2] === 'DB' ? Number(args[3]) : db
    if (held === null || (into === db && from === to)) return
    const there = this.#now(into, to)
    if (args.includes('REPLACE') || there === null) this.#put(into, to, held)
    else if (there === 'unsure') this.#put(into, to, 'unsure')
  }

  #flush(db: number): void {
    for (const [name, state] of this.#db(db)) if (state !== null) this.#put(db, name, null)
  }

  #swap(one: number, other: number): void {
    const [first, second] = [new Map(this.#db(one)), new Map(this.#db(other))]
    for (const name of new Set([...first.keys(), ...second.keys()])) {
      this.#put(one, name, second.get(name) ?? null)
      this.#put(other, name, first.get(name) ?? null)
    }
  }

  #change(db: number, name: string, change: (held: Held | null) => Held | null): void {
    const held = this.#now(db, name)
    this.#put(db, name, held === 'unsure' ? 'unsure' : change(held))
  }

  #now(db: number, name: string): State {
    const state = this.#db(db).get(name) ?? null
    if (state !== null && state !== 'unsure') return Math.abs(state.expiresAt - this.#time) < blurMs ? 'unsure' : state
    // expired just before: Redis may have seen it still there
    const last = this.spans.get(`${db}:${name}`)?.at(-1)
    return state === null && last !== undefined && last.at % 1 !== 0 && this.#time - last.from < blurMs ? 'unsure' : state
  }

  #put(db: number, name: string, state: State): void {
    this.#db(db).set(name, state)
    this.#record(`${db}:${name}`, { state, at: this.#at, from: this.#time })
    this.#touched.push(`${db}:${name}`)
  }

  #record(key: string, span: Span): void {
    const spans = this.spans.get(key)
    if (spans === undefined) this.spans.set(key, [{ state: null, at: -1, from: Number.NEGATIVE_INFINITY }, span])
    else spans.push(span)
  }

  #expire(time: number): void {
    for (const [db, states] of this.#dbs)
      for (const [name, state] of states) {
        if (state === null || state === 'unsure' || state.expiresAt > time) continue
        states.set(name, null)
        this.#record(`${db}:${name}`, { state: null, at: this.#at + 0.5, from: state.expiresAt })
      }
  }

  /** At the end: what would still expire. */
  finish(): void {
    this.#expire(Number.MAX_SAFE_INTEGER)
  }

  #in(ms: number): number {
    return Math.floor(this.#time) + ms
  }

  #db(db: number): Map<string, State> {
    const found = this.#dbs.get(db) ?? new Map<string, State>()
    this.#dbs.set(db, found)
    return found
  }
}

const forever = Number.POSITIVE_INFINITY
