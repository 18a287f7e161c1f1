/** What the connections of one version's gateway have in common: the view that answers, and the tracker that keeps it true. */
import { metricsTable } from '../../telemetry/metrics-table.ts'
import type { World } from '../../world.ts'
import { type Name, nameOf } from '../entry.ts'
import type { Want } from '../read-keys.ts'
import type { Tracker } from '../tracker.ts'
import type { View } from '../view.ts'
import { Admission } from './admission.ts'
import type { ClientState } from './client-state.ts'
import { type CommandTable, unknownCommands } from './command-table.ts'
import { answer, isLocal, keysOf, wantOf } from './local-answer.ts'
import type { Missed } from './slot.ts'

export interface ReadSettings {
  /** Every passed reply waits for what Redis has told, not those of unknown writes alone. */
  readonly causal: boolean
  readonly prefixes: readonly string[]
  readonly database: number
  readonly maxValueBytes: number
  readonly maxFields: number
}

/** Upper bounds of `ages`, s. */
const ageBuckets: readonly number[] = metricsTable.baton_cache_age_seconds.buckets

export class Reads {
  readonly counts = { hits: 0, misses: 0, passed: 0 }
  /** How long ago what was answered is known to have been current: one a bucket, the last is above every bound; not cumulative. */
  readonly ages = new Float64Array(ageBuckets.length + 1)
  ageSumSeconds = 0
  readonly #view: View
  readonly #tracker: Tracker
  readonly #world: Pick<World, 'elapsed'>
  readonly #settings: ReadSettings
  readonly #commands: () => CommandTable | null
  readonly #admission = new Admission()

  constructor(view: View, tracker: Tracker, world: Pick<World, 'elapsed'>, settings: ReadSettings, commands: () => CommandTable | null) {
    this.#view = view
    this.#tracker = tracker
    this.#world = world
    this.#settings = settings
    this.#commands = commands
  }

  get tracker(): Tracker {
    return this.#tracker
  }

  get commands(): CommandTable {
    return this.#commands() ?? unknownCommands
  }

  /** The reply, or null where Redis has to be asked. */
  answer(name: string, args: readonly Buffer[], state: ClientState): Buffer | null {
    const session = this.#tracker.session
    const now = this.#world.elapsed()
    if (session === null || !this.#tracker.fresh(now) || !state.isPlain(session.server.user, this.#settings.database)) return null
    const reply = answer(this.#view, name, args, state.protocol, now)
    if (reply === null) return null
    this.counts.hits += 1
    this.#age((now - this.#tracker.freshAt) / 1_000)
    return reply
  }

  /** A read that the view could have answered had it held the keys; null for any other command. */
  missedBy(name: string, args: readonly Buffer[], state: ClientState): Missed | null {
    const session = this.#tracker.session
    if (session === null || !isLocal(name, args.length) || !state.isPlain(session.server.user, this.#settings.database)) return null
    const key = args[1]
    if (key === undefined || !this.covers(nameOf(key))) return null
    this.counts.misses += 1
    return { name, args }
  }

  /** Redis has answered it, in a reply that was small enough. */
  admit({ name, args }: Missed): void {
    for (const key of keysOf(name, args)) {
      const missed = nameOf(key)
      if (!this.covers(missed)) continue
      const held = this.#view.peek(missed)
      // one of several keys was missing, and this one was not
      if (held !== undefined && (name === 'MGET' || name === 'EXISTS')) continue
      if (this.#admission.missed(missed)) this.#fill(missed, wantOf(name, args, held, this.#settings.maxFields))
    }
  }

  #fill(name: Name, want: Want): void {
    this.#tracker.fill(name, want, this.#view, (filled) => {
      if (filled === 'refused') this.#admission.refused(name)
    })
  }

  get causal(): boolean {
    return this.#settings.causal
  }

  get maxReplyBytes(): number {
    return this.#settings.maxValueBytes
  }

  covers(name: Name): boolean {
    for (const prefix of this.#settings.prefixes) if (name.startsWith(prefix)) return true
    return false
  }

  #age(seconds: number): void {
    let bucket = 0
    while (bucket < ageBuckets.length && seconds > (ageBuckets[bucket] ?? 0)) bucket += 1
    this.ages[bucket] = (this.ages[bucket] ?? 0) + 1
    this.ageSumSeconds += seconds
  }
}
