/** The configuration in etcd and those before it: read, and written only over the one that the writer knew. */
import {
  authorKeyOf,
  authorsPrefixOf,
  configKeyOf,
  historyKeyOf,
  historyPrefixOf,
  pastAuthorKeyOf,
  revisionIn,
} from '../config/etcd/keys.ts'
import type { KeyValue, Store, StoreHeader, Write } from '../config/etcd/store.ts'
import { isMapping } from '../config/mapping.ts'
import { BatonError } from '../errors.ts'

export interface Author {
  /** ms since the epoch */
  readonly at: number
  readonly by: string
}

export interface Revision {
  readonly revision: number
  readonly text: string
  /** Null if it was not written by baton. */
  readonly author: Author | null
}

export type Written =
  | { readonly is: 'written'; readonly revision: number }
  /** It was there already: said twice, or by somebody else. */
  | { readonly is: 'unchanged'; readonly revision: number }
  /** Somebody else was first; nothing was written. `theirs` is null if they deleted it. */
  | { readonly is: 'lost'; readonly expected: number; readonly theirs: Revision | null }

const kept = 50

type ConfigStore = Pick<Store, 'get' | 'list' | 'commit'>

export class ConfigLog {
  readonly #store: ConfigStore
  readonly #prefix: string

  constructor(store: ConfigStore, prefix: string) {
    this.#store = store
    this.#prefix = prefix
  }

  /** Null if there is none. */
  async current(): Promise<Revision | null> {
    const { entry } = await this.#store.get(configKeyOf(this.#prefix))
    if (entry === null) return null
    const author = await this.#store.get(authorKeyOf(this.#prefix))
    return { revision: entry.revision, text: entry.value, author: authorIn(author.entry, entry.revision) }
  }

  /** One that was, or is. Null if it is not kept, or never was. */
  async at(revision: number): Promise<Revision | null> {
    const current = await this.current()
    if (current?.revision === revision) return current
    const { entry } = await this.#store.get(historyKeyOf(this.#prefix, revision))
    if (entry === null) return null
    const author = await this.#store.get(pastAuthorKeyOf(this.#prefix, revision))
    return { revision, text: entry.value, author: authorIn(author.entry, null) }
  }

  /** Without their texts, the newest first. */
  async history(): Promise<readonly Omit<Revision, 'text'>[]> {
    const current = await this.current()
    const { entries } = await this.#store.list(historyPrefixOf(this.#prefix), { keysOnly: true })
    const authors = await this.#store.list(authorsPrefixOf(this.#prefix))
    const authorOf = new Map(authors.entries.map((entry) => [revisionIn(entry.key), authorIn(entry, null)]))
    const past = entries.flatMap(({ key }) => revisionIn(key) ?? []).filter((revision) => revision !== current?.revision)
    const all = past.map((revision) => ({ revision, author: authorOf.get(revision) ?? null }))
    return [...all, ...(current === null ? [] : [{ revision: current.revision, author: current.author }])].sort(
      (a, b) => b.revision - a.revision,
    )
  }

  /**
   * `expected`: the revision that the writer knew, 0 for none; null is the one that is there now.
   * Said again it changes nothing. @throws BatonError `unreachable`, `denied`: nothing is known to have changed.
   */
  async write(text: string, author: Author, expected: number | null): Promise<Written> {
    const before = await this.current()
    if (before?.text === text) return { is: 'unchanged', revision: before.revision }
    const base = before?.revision ?? 0
    if (expected !== null && expected !== base) return { is: 'lost', expected, theirs: before }
    // Before it, and by itself: two documents of a megabyte are more than one transaction takes. After it, nothing must fail any more.
    if (before !== null) await this.#archive(before)
    return await this.#replace(text, author, base)
  }

  async #archive({ revision, text, author }: Revision): Promise<void> {
    const key = historyKeyOf(this.#prefix, revision)
    const by: readonly Write[] =
      author === null ? [] : [{ is: 'put', key: pastAuthorKeyOf(this.#prefix, revision), value: JSON.stringify(author) }]
    await this.#store.commit([{ key, revision: 0 }], [{ is: 'put', key, value: text }, ...by])
    await this.#trim()
  }

  async #replace(text: string, author: Author, base: number): Promise<Written> {
    const key = configKeyOf(this.#prefix)
    const writes: readonly Write[] = [
      { is: 'put', key, value: text },
      { is: 'put', key: authorKeyOf(this.#prefix), value: JSON.stringify(author) },
    ]
    let answer: { readonly header: StoreHeader; readonly done: boolean } | null = null
    let failure: unknown = null
    try {
      answer = await this.#store.commit([{ key, revision: base }], writes)
      if (answer.done) return { is: 'written', revision: answer.header.revision }
    } catch (error) {
      if (!(error instanceof BatonError) || error.code !== 'unreachable') throw error
      failure = error
    }
    // The write may have come through without its answer, here or at another member.
    const now = await this.current()
    if (now !== null && now.text === text && now.author?.at === author.at && now.author.by === author.by)
      return { is: 'written', revision: now.revision }
    if (answer === null) throw failure
    return now?.text === text ? { is: 'unchanged', revision: now.revision } : { is: 'lost', expected: base, theirs: now }
  }

  async #trim(): Promise<void> {
    const { entries } = await this.#store.list(historyPrefixOf(this.#prefix), { keysOnly: true })
    const revisions = entries.flatMap(({ key }) => revisionIn(key) ?? [])
    // A transaction has at most 128 writes.
    const old = revisions.slice(0, -kept).slice(0, 60)
    const writes = old.flatMap((revision): Write[] => [
      { is: 'delete', key: historyKeyOf(this.#prefix, revision) },
      { is: 'delete', key: pastAuthorKeyOf(this.#prefix, revision) },
    ])
    if (writes.length > 0) await this.#store.commit([], writes)
  }
}

/** `revision`: that of what it is the author of, where both are written in one transaction. */
function authorIn(entry: KeyValue | null, revision: number | null): Author | null {
  if (entry === null || (revision !== null && entry.revision !== revision)) return null
  try {
    const value: unknown = JSON.parse(entry.value)
    return isMapping(value) && typeof value.at === 'number' && typeof value.by === 'string' ? { at: value.at, by: value.by } : null
  } catch {
    // written by somebody else
    return null
  }
}
