/** What baton needs of a key-value store with revisions. `gateway.ts` is etcd; tests of what lies above it use a real etcd too. */

export interface StoreHeader {
  /** Another one is another store, whose revisions say nothing about this one's. */
  readonly cluster: string
  /** Of the whole store when it answered. */
  readonly revision: number
}

export interface KeyValue {
  readonly key: string
  readonly value: string
  /** The store's revision at which it was written last. */
  readonly revision: number
  /** The lease that it dies with; null if none. */
  readonly lease: string | null
}

export type Unchanged =
  /** Holds if the key's last write was at `revision`; 0 is that it is not there. */
  | { readonly key: string; readonly revision: number }
  /** Holds if no key that begins with `prefix` was written after `since`; that some have gone does not matter. */
  | { readonly prefix: string; readonly since: number }

export type Write =
  | { readonly is: 'put'; readonly key: string; readonly value: string; readonly lease?: string | null }
  | { readonly is: 'delete'; readonly key: string }

export interface Listing {
  readonly header: StoreHeader
  readonly entries: readonly KeyValue[]
}

export type WatchEvent =
  | { readonly is: 'put'; readonly entry: KeyValue }
  | { readonly is: 'delete'; readonly key: string; readonly revision: number }

export interface Watcher {
  /** In the order of their revisions; all of one revision at once. */
  changed(events: readonly WatchEvent[], header: StoreHeader): void
  /** No more comes; told once, and not after `close()`. `compacted`: what was asked for is gone, so the keys must be read anew. */
  ended(why: { readonly is: 'lost' | 'compacted'; readonly reason: string }): void
}

export interface Watch {
  close(): void
}

/** Every call ends within the store's own deadline. @throws BatonError `unreachable`, `denied`. */
export interface Store {
  /** One key, as a majority of the store has it now. */
  get(key: string): Promise<{ readonly header: StoreHeader; readonly entry: KeyValue | null }>
  /** All keys that begin with `prefix`, in order; without their values if `keysOnly`. */
  list(prefix: string, options?: { readonly keysOnly?: boolean }): Promise<Listing>
  /** All writes at one revision, or none. Said twice it may have happened at the first: the second then says `false`. */
  commit(unchanged: readonly Unchanged[], writes: readonly Write[]): Promise<{ readonly header: StoreHeader; readonly done: boolean }>
  /** From `revision` on, that one included. */
  watch(what: { readonly key: string } | { readonly prefix: string }, revision: number, watcher: Watcher): Watch
  /** The lease's id. */
  grant(ttlMs: number): Promise<string>
  /** What is left of it; 0 is that it has ended. */
  keepAlive(lease: string): Promise<number>
  /** Its keys go with it. */
  revoke(lease: string): Promise<void>
  /** Ends all watches and connections; idempotent. */
  close(): Promise<void>
}
