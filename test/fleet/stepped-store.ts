/** A store whose answers come when the test lets them: so that what many clients ask at once can happen in any order, or not at all. */
import type { KeyValue, Listing, Store, Unchanged, Write } from '../../src/config/etcd/store.ts'
import { BatonError } from '../../src/errors.ts'

interface Question {
  readonly by: string
  /** It happens, and is answered. */
  answer(): void
  /** It never arrives. */
  drop(): void
  /** It happens, and the answer does not arrive. */
  lose(): void
}

export class SteppedStore {
  /** Asked and not answered, in the order of asking. */
  readonly questions: Question[] = []
  /** Of compare-and-swaps whose comparison did not hold. */
  lost = 0
  readonly #put: (key: string, value: string, by: string) => void
  readonly #entries = new Map<string, KeyValue>()
  #revision = 1

  /** `put` is told of each write before it is there. */
  constructor(put: (key: string, value: string, by: string) => void) {
    this.#put = put
  }

  /** As one client has it. */
  as(by: string): Pick<Store, 'get' | 'list' | 'commit'> {
    return {
      get: (key) => this.#ask(by, () => ({ header: this.#header(), entry: this.#entries.get(key) ?? null })),
      list: (prefix) => this.#ask(by, () => this.list(prefix)),
      commit: (unchanged, writes) => this.#ask(by, () => this.commit(unchanged, writes, by)),
    }
  }

  /** At once. */
  list(prefix: string): Listing {
    const entries = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix))
    return { header: this.#header(), entries: entries.sort((a, b) => (a.key < b.key ? -1 : 1)) }
  }

  /** At once. */
  commit(unchanged: readonly Unchanged[], writes: readonly Write[], by: string): { header: Listing['header']; done: boolean } {
    const done = unchanged.every((each) => this.#holds(each))
    if (done) {
      this.#revision += 1
      for (const write of writes) this.#write(write, by)
    } else this.lost += 1
    return { header: this.#header(), done }
  }

  #write(write: Write, by: string): void {
    const { key } = write
    if (write.is === 'delete') return void this.#entries.delete(key)
    this.#put(key, write.value, by)
    this.#entries.set(key, { key, value: write.value, revision: this.#revision, lease: null })
  }

  #holds(unchanged: Unchanged): boolean {
    if ('key' in unchanged) return (this.#entries.get(unchanged.key)?.revision ?? 0) === unchanged.revision
    return this.list(unchanged.prefix).entries.every(({ revision }) => revision <= unchanged.since)
  }

  #header(): Listing['header'] {
    return { cluster: '1', revision: this.#revision }
  }

  #ask<T>(by: string, act: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const away = () => reject(new BatonError('unreachable', 'etcd is away'))
    const once = (end: () => void) => () => {
      this.questions.splice(this.questions.indexOf(question), 1)
      end()
    }
    const lose = () => {
      act()
      away()
    }
    const question: Question = { by, answer: once(() => resolve(act())), drop: once(away), lose: once(lose) }
    this.questions.push(question)
    return promise
  }
}
