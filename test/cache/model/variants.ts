/** The cache with one rule of its protocol left out, each: what the model check has to find (CACHE.md section 2). */

import { setTimeout as sleep } from 'node:timers/promises'
import { bytesOf, type Entry, keyOf, type Name } from '../../../src/cache/entry.ts'
import { ClientState } from '../../../src/cache/gateway/client-state.ts'
import { type CommandTable, type Effect, nothing } from '../../../src/cache/gateway/command-table.ts'
import { readKeys, type Want } from '../../../src/cache/read-keys.ts'
import type { Session } from '../../../src/cache/session.ts'
import { type Filled, Tracker, type TrackerParts } from '../../../src/cache/tracker.ts'
import { View } from '../../../src/cache/view.ts'
import type { Builders } from '../../kit/cached-redis.ts'

export const broken = {
  'no markers': 'a fill is put in whatever happened while it was read',
  'own writes ignored': 'a write that passes by kills nothing',
  'killed only when forwarded': 'a write kills its keys before it is executed, and not at its reply',
  'scripts without a barrier': 'the reply to EVAL is passed on at once',
  'pipelining rule off': 'a read behind a write without a reply is answered locally',
  'not emptied at a loss': 'what was held stays when the source is lost',
  'no lease': 'answered locally however long nothing was heard',
  'no own deadline': 'an entry stays until Redis tells that it expired',
  'SWAPDB unnoticed': 'neither the heartbeat nor the gateway sees it',
  'WATCH unnoticed': 'reads under WATCH are answered locally',
  'MULTI unnoticed': 'reads in a transaction are answered locally',
  'killed in one view only': 'a change is dropped from v1 alone',
} as const
export type Broken = keyof typeof broken

export const brokenNames = Object.keys(broken) as readonly Broken[]

/** ms. A key that was killed too early has to be read again before its write is executed, which the queue of refreshes makes rare. */
export function delayFor(which: Broken | null): number {
  return which === 'killed only when forwarded' ? 10 : 2
}

export function breakIt(which: Broken): Partial<Builders> {
  switch (which) {
    case 'no markers':
      return { tracker: (parts) => new WithoutMarkers(parts) }
    case 'own writes ignored':
      return { commands: (table) => changed(table, (effect) => (effect.is === 'nothing' ? nothing : noKeys)) }
    case 'killed only when forwarded':
      return {
        // what was killed too early is read again before its write is executed: the sooner the surer
        tracker: (parts) => new Tracker({ ...parts, settings: { ...parts.settings, refreshEveryMs: 0 } }),
        commands: (table, tracker) =>
          changed(table, (effect) => {
            if (effect.is !== 'keys') return effect
            for (const key of effect.keys) tracker.kill(key)
            return noKeys
          }),
      }
    case 'scripts without a barrier':
      return { commands: (table) => changed(table, (effect) => (effect.is === 'unknown' ? noKeys : effect)) }
    case 'pipelining rule off':
      return { commands: (table, tracker) => uncounted(table, tracker) }
    case 'not emptied at a loss':
      return { tracker: (parts) => new NeverEmptied(parts) }
    case 'no lease':
      return { tracker: (parts) => new WithoutLease(parts), open: (open) => async (hooks, signal) => impatient(await open(hooks, signal)) }
    case 'no own deadline':
      return { view: (version, budget) => new WithoutDeadline(version, budget) }
    case 'SWAPDB unnoticed':
      return {
        open: (open) => async (hooks, signal) => withoutSwaps(await open(hooks, signal)),
        commands: (table) => changed(table, (effect, name) => (name === 'SWAPDB' ? noKeys : effect)),
      }
    case 'WATCH unnoticed':
      return unnoticed('WATCH')
    case 'MULTI unnoticed':
      return unnoticed('MULTI')
    case 'killed in one view only':
      return {
        tracker: (parts) => new KillsInOneView(parts),
        view: (version, budget) => (version === 'v1' ? new View(version, budget) : new Deaf(version, budget)),
      }
  }
}

/** Counts as a write, and changes nothing. */
const noKeys: Effect = { is: 'keys', keys: [] }

function changed(table: CommandTable, change: (effect: Effect, name: string) => Effect): CommandTable {
  const effectOf = table.effectOf.bind(table)
  table.effectOf = (name, args) => change(effectOf(name, args), name)
  return table
}

/** Kills at the reply, and is no write before it. */
function uncounted(table: CommandTable, tracker: Tracker): CommandTable {
  const passing = ClientState.prototype.passing
  ClientState.prototype.passing = function (this: ClientState, name, args, effect) {
    const passed = passing.call(this, name, args, effect)
    if (passed.effect.is !== 'keys') return passed
    const { keys } = passed.effect
    return {
      effect: nothing,
      settle: (ok) => {
        for (const key of keys) tracker.kill(key)
        passed.settle?.(ok)
      },
    }
  }
  return table
}

function unnoticed(command: 'WATCH' | 'MULTI'): Partial<Builders> {
  const passing = ClientState.prototype.passing
  ClientState.prototype.passing = function (this: ClientState, name, args, effect) {
    if (name === command) return { effect, settle: null }
    // the end of a transaction that was not seen to begin ends the watch alone
    return command === 'MULTI' && name === 'EXEC' ? passing.call(this, 'UNWATCH', args, effect) : passing.call(this, name, args, effect)
  }
  return {}
}

/** Reads by itself, and marks nothing. */
class WithoutMarkers extends Tracker {
  readonly #parts: TrackerParts

  constructor(parts: TrackerParts) {
    super(parts)
    this.#parts = parts
  }

  override fill(name: Name, want: Want, view: View): void {
    void this.filled(name, want, view)
  }

  override async filled(name: Name, want: Want, view: View): Promise<Filled> {
    const { session } = this
    if (session === null) return 'dropped'
    const readAt = performance.now()
    const [read] = await readKeys(session, [{ key: keyOf(name), want }], this.#parts.settings).catch(() => [])
    if (read?.is !== 'read' || this.session !== session) return 'dropped'
    const { payload, ttlMs } = read
    const expiresAt = ttlMs === null ? Number.POSITIVE_INFINITY : readAt + ttlMs
    view.put(name, { payload, readAt, expiresAt, deadline: expiresAt, bytes: bytesOf(name, payload) })
    return 'kept'
  }
}

class NeverEmptied extends Tracker {
  override killAll(): void {
    if (this.live) super.killAll()
  }
}

class WithoutLease extends Tracker {
  override fresh(): boolean {
    return this.live
  }
}

class WithoutDeadline extends View {
  override put(name: Name, entry: Entry): void {
    super.put(name, { ...entry, deadline: Number.POSITIVE_INFINITY })
  }
}

class KillsInOneView extends Tracker {
  readonly #views: readonly View[]

  constructor(parts: TrackerParts) {
    super(parts)
    this.#views = parts.views
  }

  override kill(name: Name): void {
    for (const view of this.#views) if (view instanceof Deaf) view.isDeaf = true
    super.kill(name)
    for (const view of this.#views) if (view instanceof Deaf) view.isDeaf = false
  }
}

class Deaf extends View {
  isDeaf = false

  override drop(name: Name): boolean {
    return this.isDeaf ? false : super.drop(name)
  }
}

/** A barrier drops everything when nothing is heard for 200 ms: one that gives up before stands in for it, or the lease would not be needed. */
function impatient(session: Session): Session {
  return { ...withoutSwaps(session), read: (commands) => session.read(commands), heard: () => Promise.race([session.heard(), sleep(150)]) }
}

function withoutSwaps(session: Session): Session {
  return {
    server: session.server,
    read: async (commands) =>
      (await session.read(commands)).map((reply) =>
        Buffer.isBuffer(reply) && reply.includes('cmdstat_swapdb')
          ? Buffer.from(reply.toString().replace(/cmdstat_swapdb:calls=\d+/, ''))
          : reply,
      ),
    aside: (commands) => session.aside(commands),
    heard: () => session.heard(),
    close: () => session.close(),
  }
}
