/**
 * The key of etcd that the dynamic half comes from. A watch brings a change at once; the key is read every 10 s all the same, since a
 * watch may be dead without a word (a half-open connection, a member that was cut off). What is read decides.
 *
 * There is one way back from every fault (a lost stream, a compaction, another member, a restored etcd): read the key, which is the truth
 * as of the store's revision R, and watch from R + 1. What was written and overwritten in between is skipped.
 */
import { ConfigError, errorMessage } from '../../errors.ts'
import type { Timer, World } from '../../world.ts'
import type { Warn } from '../coalesced-file.ts'
import type { Remote } from '../last-good.ts'
import type { LiveConfig, Outcome } from '../live.ts'
import { nameOf } from './keys.ts'
import { remoteOf } from './remote.ts'
import type { KeyValue, Store, StoreHeader, Watch, WatchEvent } from './store.ts'

export interface EtcdSourceParts {
  readonly store: Pick<Store, 'get' | 'watch'>
  /** Of the configuration. */
  readonly key: string
  readonly live: LiveConfig
  readonly world: World
  readonly warn: Warn
  readonly onOutcome?: (outcome: Outcome) => void
  /** Between two reads for truth. Default 10,000. */
  readonly readMs?: number
  /** After the first failure; twice as long after each further one, up to `readMs`. Default 200. */
  readonly retryMs?: number
}

/** What etcd was last known to be. */
interface Known {
  readonly cluster: string
  /** The highest that was heard of the store. */
  readonly revision: number
  /** Of the key; 0 is that it was not there. */
  readonly keyRevision: number
  /** What it held; null is that it was not there. */
  readonly text: string | null
}

export class EtcdSource {
  readonly #parts: EtcdSourceParts
  #known: Known | null = null
  /** Refused since an upgrade is under way; taken when it has ended. */
  #deferred: Remote | null = null
  #watch: Watch | null = null
  #next: Timer | null = null
  #reading: Promise<void> | null = null
  #again = false
  /** Of reads and watches, since both were well. */
  #failures = 0
  #stopped = false

  constructor(parts: EtcdSourceParts) {
    this.#parts = parts
    const { remote } = parts.live
    if (remote === null) return
    const { cluster, revision, text } = remote
    this.#known = { cluster, revision, keyRevision: revision, text }
  }

  start(): void {
    void this.read()
  }

  /** At which the key was last seen to be written; 0 is that it is not there. */
  get revision(): number {
    return this.#known?.keyRevision ?? 0
  }

  /** Reads the key now. Never rejects: what goes wrong is told to `live`, and tried again. */
  async read(): Promise<void> {
    if (this.#stopped) return
    if (this.#reading !== null) {
      this.#again = true
      return await this.#reading
    }
    this.#reading = this.#read()
    await this.#reading
    this.#reading = null
    if (!this.#again) return
    this.#again = false
    await this.read()
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#next?.cancel()
    this.#unwatch()
    await this.#reading
  }

  async #read(): Promise<void> {
    this.#next?.cancel()
    const { store, key, live, readMs = 10_000 } = this.#parts
    const asked = this.#known
    try {
      const { header, entry } = await store.get(key)
      if (this.#stopped) return
      if (this.#watch !== null) this.#failures = 0
      if (!this.#isOvertaken(header, asked)) this.#take(header, entry)
      else if (this.#watch === null) this.#again = true
      this.#readIn(readMs)
    } catch (error) {
      if (this.#stopped) return
      live.lost(errorMessage(error), 'etcd')
      this.#failed('etcd cannot be read; what runs goes on', error)
    }
  }

  #failed(what: string, why: unknown): void {
    const { warn, readMs = 10_000, retryMs = 200 } = this.#parts
    if (this.#failures === 0) warn(what, why)
    this.#readIn(Math.min(readMs, retryMs * 2 ** Math.min(this.#failures, 16)))
    this.#failures++
  }

  #readIn(delayMs: number): void {
    const { world } = this.#parts
    this.#next?.cancel()
    // A fleet that lost etcd at once does not come back at once.
    this.#next = world.after(delayMs * (0.75 + world.random() / 2), () => void this.read())
  }

  /** The watch has told of more while the answer was under way. No answer is older than what was known when it was asked for. */
  #isOvertaken({ cluster, revision }: StoreHeader, asked: Known | null): boolean {
    const known = this.#known
    if (known === null || known === asked || known.cluster !== cluster) return false
    return revision < known.revision && revision >= (asked?.revision ?? 0)
  }

  #take(header: StoreHeader, entry: KeyValue | null): void {
    const known = this.#heedEpoch(header, entry)
    const keyRevision = entry?.revision ?? 0
    // The watch has missed something: it may be dead.
    if (keyRevision !== (known?.keyRevision ?? 0)) this.#unwatch()
    this.#learn(header, entry)
    if (entry === null) this.#gone(known)
    else if (keyRevision !== known?.keyRevision) this.#offer(remoteOf(header, entry))
    else this.#confirm()
    if (this.#watch === null) this.#follow(header.revision + 1)
  }

  /** What is known of this store; null if it is a new one, or began anew. */
  #heedEpoch(header: StoreHeader, entry: KeyValue | null): Known | null {
    const known = this.#known
    const what = known === null ? null : anew(known, header, entry)
    if (what === null) return known
    this.#parts.warn('etcd has begun anew; it is followed', what)
    this.#unwatch()
    this.#known = null
    return null
  }

  #learn({ cluster, revision }: StoreHeader, entry: KeyValue | null): void {
    const highest = Math.max(revision, this.#known?.revision ?? 0)
    this.#known = { cluster, revision: highest, keyRevision: entry?.revision ?? 0, text: entry?.value ?? null }
  }

  #gone(known: Known | null): void {
    const { live, key, warn } = this.#parts
    this.#deferred = null
    const what = `${nameOf(key)} is not there`
    live.lost(what, 'etcd')
    if (known?.keyRevision !== 0) warn(`${what}; what runs goes on`, 'baton config put FILE writes it')
  }

  #offer(remote: Remote): void {
    const outcome = this.#parts.live.offerRemote(remote)
    const isBusy = outcome.is === 'refused' && outcome.faults.every((fault) => fault.reason === 'busy')
    this.#deferred = isBusy ? remote : null
    this.#parts.onOutcome?.(outcome)
  }

  /** Nothing new; what had to wait for the end of an upgrade may be taken now. */
  #confirm(): void {
    this.#parts.live.found()
    const remote = this.#deferred
    if (remote === null) return
    try {
      this.#parts.live.checkRemote(remote)
    } catch (error) {
      if (error instanceof ConfigError) return
      throw error
    }
    this.#offer(remote)
  }

  #follow(revision: number): void {
    const watch = this.#parts.store.watch({ key: this.#parts.key }, revision, {
      changed: (events, header) => {
        if (this.#watch === watch) this.#changed(events, header)
      },
      ended: ({ reason }) => {
        if (this.#watch !== watch) return
        this.#watch = null
        this.#failed('the watch of etcd ended; the key is read again', reason)
      },
    })
    this.#watch = watch
  }

  #unwatch(): void {
    const watch = this.#watch
    this.#watch = null
    watch?.close()
  }

  #changed(events: readonly WatchEvent[], header: StoreHeader): void {
    const last = events.at(-1)
    if (last === undefined) return
    const revision = last.is === 'put' ? last.entry.revision : last.revision
    const known = this.#known
    if (revision <= (known?.keyRevision ?? 0)) return
    this.#learn(header, last.is === 'put' ? last.entry : null)
    if (last.is === 'put') this.#offer(remoteOf(header, last.entry))
    else this.#gone(known)
  }
}

/** How it shows that this is not the store that was known; null if nothing does. */
function anew(known: Known, { cluster, revision }: StoreHeader, entry: KeyValue | null): string | null {
  if (known.cluster !== cluster) return `cluster ${cluster} after ${known.cluster}`
  if (revision < known.revision) return `revision ${revision} after ${known.revision}`
  const isOther = entry !== null && entry.revision === known.keyRevision && entry.value !== known.text
  return isOther ? `another text at revision ${entry.revision}` : null
}
