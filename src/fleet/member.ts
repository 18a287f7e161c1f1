/**
 * This instance as the fleet sees it: its record under a lease, written anew when it changes, gone soon after the instance is.
 * etcd being away is no fault of the instance: it is tried again, and what is written then is what is true then.
 */
import { instanceKeyOf } from '../config/etcd/keys.ts'
import type { Store } from '../config/etcd/store.ts'
import type { Timer, World } from '../world.ts'
import { type InstanceRecord, writeRecord } from './record.ts'

export interface MemberParts {
  readonly store: Pick<Store, 'commit' | 'get' | 'grant' | 'keepAlive' | 'revoke'>
  readonly prefix: string
  readonly world: World
  readonly warn: (message: string, error: unknown) => void
  record(): InstanceRecord
  /** How long the record outlives the instance. Default 15,000. */
  readonly leaseMs?: number
  /** How often the record is looked at for a change that nobody told of. Default 1,000. */
  readonly lookMs?: number
}

export class Member {
  readonly #parts: MemberParts
  #lease: string | null = null
  /** When the lease was last known to be alive, on the monotonic clock. */
  #aliveAt = 0
  #written = ''
  #looking: Promise<void> | null = null
  #again = false
  #failing = false
  #timer: Timer | null = null
  #stopped = false

  constructor(parts: MemberParts) {
    this.#parts = parts
  }

  start(): void {
    const { world, lookMs = 1_000 } = this.#parts
    this.#timer = world.every(lookMs, () => this.tell())
    this.tell()
  }

  /** Something has changed: it is written soon. */
  tell(): void {
    if (this.#stopped) return
    if (this.#looking !== null) {
      this.#again = true
      return
    }
    this.#looking = this.#look().finally(() => {
      this.#looking = null
      if (!this.#again) return
      this.#again = false
      this.tell()
    })
  }

  /** The record is gone when this resolves, if etcd can be reached. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#looking
    const lease = this.#lease
    this.#lease = null
    if (lease === null) return
    try {
      await this.#parts.store.revoke(lease)
    } catch (error) {
      this.#parts.warn('the record of this instance stays in etcd until its lease ends', error)
    }
  }

  async #look(): Promise<void> {
    try {
      const lease = await this.#leased()
      await this.#write(lease)
      this.#failing = false
    } catch (error) {
      // What of a write came through is not known.
      this.#written = ''
      if (!this.#failing) this.#parts.warn('this instance cannot tell the fleet of itself', error)
      this.#failing = true
    }
  }

  async #leased(): Promise<string> {
    const { store, world, leaseMs = 15_000 } = this.#parts
    const now = world.elapsed()
    if (this.#lease !== null && now - this.#aliveAt < leaseMs / 3) return this.#lease
    if (this.#lease !== null && (await store.keepAlive(this.#lease)) > 0) {
      this.#aliveAt = now
      await this.#lookForTwin()
      return this.#lease
    }
    this.#lease = null
    this.#written = ''
    const lease = await store.grant(leaseMs)
    this.#lease = lease
    this.#aliveAt = now
    return lease
  }

  /** The record may have been deleted; or another instance has taken the name, and the two overwrite each other. */
  async #lookForTwin(): Promise<void> {
    const { store, prefix, warn, record } = this.#parts
    const key = instanceKeyOf(prefix, record().id)
    const { entry } = await store.get(key)
    if (entry !== null && entry.lease === this.#lease) return
    const written = this.#written
    this.#written = ''
    if (entry !== null && written !== '')
      warn(`another instance writes ${key}; give each a bootstrap.config.etcd.instance of its own`, entry.value.slice(0, 200))
  }

  async #write(lease: string): Promise<void> {
    const { store, prefix, record } = this.#parts
    const told = record()
    const text = writeRecord(told)
    if (text === this.#written) return
    await store.commit([], [{ is: 'put', key: instanceKeyOf(prefix, told.id), value: text, lease }])
    this.#written = text
  }
}
