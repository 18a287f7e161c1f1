/**
 * Keeps the views of all versions equal to Redis (CACHE.md section 2).
 *
 * - A *fill* is marked before its read leaves. Whatever kills the key meanwhile kills that fill as well, so that what it read is not
 *   put in: the order between the connections does not matter.
 * - A *kill* drops a key from every view in one synchronous step: a change told by Redis, or the reply to a write that passed by.
 * - *live* and fresh: only then may anything be answered locally. `freshAt` is when the last heartbeat was sent that both connections
 *   have answered: what had run before it has been heard of.
 * - When the session is lost or doubtful everything is dropped, and nothing is answered until another one tracks.
 */
import { errorMessage } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { Timer, World } from '../world.ts'
import { Barrier } from './barrier.ts'
import { bytesOf, type Entry, keyOf, type Name, nameOf } from './entry.ts'
import { Heartbeat } from './heartbeat.ts'
import { type Read, type ReadLimits, readKeys, type Want } from './read-keys.ts'
import { RefreshQueue } from './refresh-queue.ts'
import type { OpenSession, Session } from './session.ts'
import type { View } from './view.ts'

export interface TrackerSettings extends ReadLimits {
  /** S: a local answer was current at some moment within it. */
  readonly stalenessMs: number
  /** No entry is used for longer, whatever its TTL. */
  readonly maxAgeMs: number
  readonly absentMaxAgeMs: number
  /** A key is read again at most once in this time. */
  readonly refreshEveryMs: number
  readonly refreshPerSecond: number
}

export interface TrackerParts {
  readonly world: Pick<World, 'elapsed' | 'after' | 'every' | 'random'>
  readonly log: Log
  readonly open: OpenSession
  /** Of all versions; the array is the caller's. */
  readonly views: readonly View[]
  readonly settings: TrackerSettings
  /** Tracking again, with empty views. */
  onLive(): void
  /** Called before the views are emptied. */
  onLost(reason: string): void
}

export type Filled = 'kept' | 'absent' | 'refused' | 'dropped'

interface Fill {
  readonly name: Name
  readonly want: Want
  readonly views: Set<View>
  /** Monotonic ms. */
  readonly begunAt: number
  dead: boolean
  readonly done: ((filled: Filled) => void)[]
}

/** Reads under way at once; more are dropped, which costs a miss. */
const maxFills = 2_048
const batchSize = 64
const barrierMs = 200
/** A session comes to be in this time, its first heartbeat included. */
const openingMs = 10_000
const backoffMs = { first: 50, last: 2_000, unsuitable: 30_000 } as const

export class Tracker {
  readonly counts = { fills: 0, fillsDropped: 0, kills: 0, refreshes: 0, refreshesDropped: 0, flushes: 0, losses: 0 }
  readonly #parts: TrackerParts
  readonly #fills = new Map<Name, Fill>()
  readonly #refresh: RefreshQueue<View>
  readonly #barrier: Barrier
  readonly #stopped = new AbortController()
  #queued: Fill[] = []
  #session: Session | null = null
  #heartbeat: Heartbeat | null = null
  #live = false
  #generation = 0
  #freshAt = Number.NEGATIVE_INFINITY
  #attempts = 0
  #retry: Timer | null = null
  #whyNot = 'not started'
  #isUnsuitable = false

  constructor(parts: TrackerParts) {
    const { settings, world } = parts
    this.#parts = parts
    this.#barrier = new Barrier(() => (this.#live && this.#session !== null ? this.#heardInTime(this.#session) : null))
    this.#refresh = new RefreshQueue<View>(
      { everyMs: settings.refreshEveryMs, perSecond: settings.refreshPerSecond },
      world,
      (name, want, views) => this.#refreshed(name, want, views),
    )
  }

  get live(): boolean {
    return this.#live
  }

  /** Why nothing is answered locally; null while it may be. */
  get whyNot(): string | null {
    return this.#live ? null : this.#whyNot
  }

  /** This server cannot be a source: it is looked at again, and not soon. */
  get isUnsuitable(): boolean {
    return this.#isUnsuitable
  }

  get session(): Session | null {
    return this.#live ? this.#session : null
  }

  /** Whether what is held may be answered at `now`, monotonic ms. */
  fresh(now: number): boolean {
    return this.#live && now - this.#freshAt <= this.#parts.settings.stalenessMs
  }

  /** Monotonic ms: what is held was current then, or later. */
  get freshAt(): number {
    return this.#freshAt
  }

  start(): void {
    void this.#connect()
  }

  stop(): void {
    this.#stopped.abort()
    this.#retry?.cancel()
    this.lose('stopped')
  }

  /** Reads the key into the view, unless that waits for its time. `done` is told what came of it, if it was read. */
  fill(name: Name, want: Want, view: View, done: (filled: Filled) => void): void {
    if (!this.#refresh.join(name, [view])) this.#fill(name, want, [view], done)
  }

  /** The same, and tells what came of it. */
  filled(name: Name, want: Want, view: View): Promise<Filled> {
    return new Promise((done) => this.#fill(name, want, [view], done))
  }

  /** The key may have changed: no view holds it after this, and no read that is under way puts it in. */
  kill(name: Name): void {
    this.counts.kills += 1
    let want: Want | null = null
    let readAt = Number.NEGATIVE_INFINITY
    const holders: View[] = []
    for (const view of this.#parts.views) {
      const entry = view.peek(name)
      if (entry === undefined) continue
      holders.push(view)
      readAt = entry.readAt
      if (view.wasHit(name)) want = wantOf(entry)
      view.drop(name)
    }
    const fill = this.#fills.get(name)
    if (fill !== undefined) {
      this.#bury(fill)
      holders.push(...fill.views)
      want ??= fill.want
      readAt = fill.begunAt
    }
    // worth it in one view: then it is in each that had it, for a version that is warm and does not serve yet hits nothing
    if (want !== null && this.#live && !this.#refresh.add(name, want, holders, readAt)) this.counts.refreshesDropped += 1
  }

  killAll(): void {
    this.counts.flushes += 1
    for (const fill of [...this.#fills.values()]) this.#bury(fill)
    this.#refresh.clear()
    for (const view of this.#parts.views) view.clear()
  }

  /** Resolves when every change that Redis has made until now has been heard; at once where nothing is held. */
  barrier(): Promise<void> {
    return this.#barrier.reached()
  }

  /** Nothing is answered locally until another session tracks. */
  lose(reason: string): void {
    if (this.#session === null) return
    const session = this.#session
    this.#session = null
    const wasLive = this.#live
    this.#live = false
    this.#whyNot = reason
    this.#generation += 1
    this.#heartbeat?.stop()
    this.#heartbeat = null
    if (wasLive) {
      this.counts.losses += 1
      this.#parts.onLost(reason)
    }
    if (!this.#stopped.signal.aborted) this.#parts.log.warn('cache.lost', { reason })
    this.killAll()
    session.close()
    if (!this.#stopped.signal.aborted) this.#again(backoffMs.first)
  }

  /** A client's reply does not wait for a silent connection: what is held is dropped, and then nothing can be too old. */
  async #heardInTime(session: Session): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timer = this.#parts.world.after(barrierMs, () => {
      this.killAll()
      late.resolve()
    })
    try {
      await Promise.race([session.heard(), late.promise])
    } finally {
      timer.cancel()
    }
  }

  async #connect(): Promise<void> {
    const { open, log, settings, world } = this.#parts
    const late = new AbortController()
    const limit = world.after(openingMs, () => {
      late.abort()
      this.lose('no answer while it was set up')
    })
    let session: Session | null = null
    try {
      const hooks = {
        invalidated: (keys: readonly Buffer[] | null) => this.#invalidated(keys),
        lost: (reason: string) => this.lose(reason),
      }
      session = await open(hooks, AbortSignal.any([this.#stopped.signal, late.signal]))
      if (this.#stopped.signal.aborted) return session.close()
      this.#session = session
      const heartbeat = new Heartbeat(session, world, {
        stalenessMs: settings.stalenessMs,
        onFresh: (at) => (this.#freshAt = at),
        onSwapped: () => this.killAll(),
        onFault: (reason) => this.lose(reason),
      })
      this.#heartbeat = heartbeat
      await heartbeat.beat()
      if (this.#session !== session) return
      heartbeat.start()
      this.#attempts = 0
      this.#isUnsuitable = false
      this.killAll()
      this.#live = true
      this.#parts.onLive()
    } catch (error) {
      // what was lost is being opened again already
      if (this.#stopped.signal.aborted || (session !== null && this.#session !== session)) return
      const { message, wait } = this.#judge(error)
      if (session !== null) return this.lose(message)
      if (message !== this.#whyNot) log.warn('cache.unavailable', { reason: message })
      this.#whyNot = message
      this.#again(wait)
    } finally {
      limit.cancel()
    }
  }

  #judge(error: unknown): { message: string; wait: number } {
    const message = error instanceof Error ? error.message : String(error)
    this.#isUnsuitable = error instanceof Error && 'code' in error && error.code === 'unsupported'
    return { message, wait: this.#isUnsuitable ? backoffMs.unsuitable : backoffMs.first }
  }

  #again(firstMs: number): void {
    const { world } = this.#parts
    const waitMs = Math.max(firstMs, Math.min(backoffMs.first * 2 ** this.#attempts, backoffMs.last)) * (0.5 + world.random() / 2)
    this.#attempts += 1
    this.#retry?.cancel()
    this.#retry = world.after(waitMs, () => void this.#connect())
  }

  #invalidated(keys: readonly Buffer[] | null): void {
    if (keys === null) this.killAll()
    else for (const key of keys) this.kill(nameOf(key))
  }

  #refreshed(name: Name, want: Want, views: readonly View[]): void {
    this.counts.refreshes += 1
    this.#fill(name, want, views, null)
  }

  #fill(name: Name, want: Want, views: readonly View[], done: ((filled: Filled) => void) | null): void {
    const known = this.#fills.get(name)
    if (known !== undefined) {
      for (const view of views) known.views.add(view)
      if (done !== null) known.done.push(done)
      return
    }
    if (!this.#live || this.#fills.size >= maxFills) {
      this.counts.fillsDropped += 1
      done?.('dropped')
      return
    }
    // marked here, before the bytes leave
    const fill: Fill = {
      name,
      want,
      views: new Set(views),
      begunAt: this.#parts.world.elapsed(),
      dead: false,
      done: done === null ? [] : [done],
    }
    this.#fills.set(name, fill)
    this.counts.fills += 1
    if (this.#queued.push(fill) === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    const queued = this.#queued
    this.#queued = []
    for (let at = 0; at < queued.length; at += batchSize) void this.#read(queued.slice(at, at + batchSize))
  }

  async #read(fills: readonly Fill[]): Promise<void> {
    const { world, settings } = this.#parts
    const session = this.#session
    const generation = this.#generation
    const readAt = world.elapsed()
    const requests = fills.map(({ name, want }) => ({ key: keyOf(name), want }))
    let reads: readonly Read[]
    try {
      reads = session === null ? [] : await readKeys(session, requests, settings)
    } catch (error) {
      // a session that has ended has told why already
      if (session === this.#session) this.lose(errorMessage(error))
      reads = []
    }
    for (const [at, fill] of fills.entries()) {
      const filled = this.#install(fill, generation, readAt, reads[at])
      for (const done of fill.done) done(filled)
    }
  }

  #install(fill: Fill, generation: number, readAt: number, read: Read | undefined): Filled {
    if (fill.dead || generation !== this.#generation || !this.#live) return 'dropped'
    this.#fills.delete(fill.name)
    if (read === undefined) return 'dropped'
    // its TTL would be told too short by as much
    if (this.#parts.world.elapsed() - readAt > this.#parts.settings.stalenessMs) return 'dropped'
    if (read.is === 'refused') return 'refused'
    const entry = this.#entry(fill.name, readAt, read)
    for (const view of fill.views) view.put(fill.name, entry)
    return read.payload.is === 'absent' ? 'absent' : 'kept'
  }

  #entry(name: Name, readAt: number, { payload, ttlMs }: Extract<Read, { is: 'read' }>): Entry {
    const { maxAgeMs, absentMaxAgeMs } = this.#parts.settings
    const expiresAt = ttlMs === null ? Number.POSITIVE_INFINITY : readAt + ttlMs
    const oldAt = readAt + (payload.is === 'absent' ? absentMaxAgeMs : maxAgeMs)
    return { payload, readAt, expiresAt, deadline: Math.min(expiresAt, oldAt), bytes: bytesOf(name, payload) }
  }

  #bury(fill: Fill): void {
    fill.dead = true
    this.#fills.delete(fill.name)
  }
}

function wantOf({ payload }: Entry): Want {
  switch (payload.is) {
    case 'absent':
      return 'any'
    case 'string':
      return 'string'
    case 'hash':
      return payload.whole ? 'hash' : [...payload.fields.keys()]
  }
}
