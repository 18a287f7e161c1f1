/** The last events, and who listens to new ones. Bounded: an old event gives way to a new one. */
import type { LogRecord } from './log.ts'

export interface BatonEvent extends LogRecord {
  /** Goes up by one; the `id` of the event stream, so that a reader that was cut off can go on. */
  readonly id: number
}

export class Events {
  readonly #ring: BatonEvent[] = []
  readonly #listeners = new Set<(event: BatonEvent) => void>()
  readonly #capacity: number
  #lastId = 0

  constructor(capacity = 512) {
    this.#capacity = capacity
  }

  /** A `LogSink`. */
  readonly take = (record: LogRecord): void => {
    if (record.level === 'debug') return
    this.#lastId += 1
    const event: BatonEvent = { ...record, id: this.#lastId }
    this.#ring.push(event)
    if (this.#ring.length > this.#capacity) this.#ring.shift()
    for (const listener of this.#listeners) listener(event)
  }

  /** Events with an id above `id` that are still held; all of them where no such id has been given yet: it is a former generation's. */
  after(id: number): readonly BatonEvent[] {
    if (id > this.#lastId) return [...this.#ring]
    return this.#ring.filter((event) => event.id > id)
  }

  /** Returns the removal. */
  listen(listener: (event: BatonEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
