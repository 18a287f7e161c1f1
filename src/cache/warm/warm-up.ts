/**
 * Fills one version's view before it serves. Sources name keys, hottest first; each that another version's view holds is adopted, the
 * same entry, and the others are read from Redis, a batch at a time, at a set rate.
 *
 * - An entry is found in the other view and put into this one with no `await` between: what would kill it there kills it here as well.
 * - A flush or a lost session empties all views: all that was named so far is settled anew, as soon as Redis is tracked again.
 * - A read that was dropped, since its key changed or too many reads were under way, is tried again, a few times.
 * - It ends at the target, when the view is full, when all that is named is settled, at the deadline, or by a signal.
 */
import { BatonError } from '../../errors.ts'
import { pause, type World } from '../../world.ts'
import type { Name } from '../entry.ts'
import type { View } from '../view.ts'
import type { HotList } from './hot-list.ts'
import { Naming } from './naming.ts'
import type { Pace } from './pace.ts'
import { Prediction } from './prediction.ts'
import { judgeWarm, reachesTarget, type WarmProgress } from './progress.ts'
import { renamed } from './rename.ts'
import type { WarmSettings } from './settings.ts'
import { openSource } from './sources/open-source.ts'
import { untilLive, type WarmTracker } from './warm-tracker.ts'

export interface WarmParts {
  readonly world: Pick<World, 'elapsed' | 'after'>
  readonly settings: WarmSettings
  readonly tracker: WarmTracker
  /** One of the tracker's, as are the others. */
  readonly view: View
  readonly others: readonly View[]
  /** Shared with whatever else reads names at that rate. */
  readonly pace: Pace
  /** Under the cached prefixes. */
  isCached(name: Name): boolean
  /** Null: the names that are read most are not shared. */
  readonly hotList: (() => Promise<HotList>) | null
  /** Path of a file of names; null: there is none. */
  readonly file: string | null
}

export type WarmEnd = 'target' | 'full' | 'all-named' | 'deadline' | 'cancelled'

export interface WarmResult {
  /** `warm` is what needs neither a warning nor a refusal. */
  readonly is: 'warm' | 'short'
  readonly why: WarmEnd
  readonly progress: WarmProgress
}

/** A key that changes faster is left to the reads of clients. */
const maxReads = 4
/** By then a key that is written and read was refreshed. */
const againMs = 100
/** In one turn of the event loop. */
const adoptedAtOnce = 1_000

export class WarmUp {
  readonly #parts: WarmParts
  readonly #views: readonly View[]
  readonly #naming: Naming
  readonly #startedAt: number
  readonly #evictions: number
  #flushes: number
  #phase: WarmProgress['phase'] = 'naming'
  #source: string | null = null
  #tally = { kept: 0, absent: 0, refused: 0, dropped: 0 }
  /** Of the names, in their order, those that are settled or being settled; the others are one piece ahead. */
  #begun = 0
  /** Reads of each name that was dropped. */
  readonly #reads = new Map<Name, number>()
  #hotList: Promise<HotList> | null = null
  #prediction: Prediction | null = null
  #end: { readonly why: WarmEnd; readonly at: number } | null = null
  #onEnd: () => void = () => {}

  /** @throws BatonError where a source is not configured */
  constructor(parts: WarmParts) {
    const { world, settings, tracker, view, others, file } = parts
    this.#parts = parts
    this.#views = [view, ...others]
    this.#startedAt = world.elapsed()
    this.#evictions = view.presentEvictions
    this.#flushes = tracker.counts.flushes
    const reach = { world, others, file, session: () => given(tracker.session), hotList: () => this.#readHotList() }
    const sources = settings.from.map((source) => openSource(source, reach))
    const isOver = () => this.#end !== null
    this.#naming = new Naming({ world, tracker, sources, rename: settings.rename, isCached: parts.isCached, isOver })
  }

  /** Once. */
  async run(signal: AbortSignal): Promise<WarmResult> {
    const { world, settings } = this.#parts
    const ended = new Promise<void>((done) => (this.#onEnd = done))
    const cancel = () => this.#finish('cancelled')
    signal.addEventListener('abort', cancel)
    if (signal.aborted) cancel()
    const deadline = world.after(settings.deadlineMs, () => this.#finish('deadline'))
    try {
      // not for the work alone: at the deadline there may be a read without an answer
      await Promise.race([ended, this.#work()])
    } finally {
      deadline.cancel()
      signal.removeEventListener('abort', cancel)
      cancel()
    }
    const progress = this.progress()
    return { is: judgeWarm(progress, settings) === 'go' ? 'warm' : 'short', why: this.#end?.why ?? 'cancelled', progress }
  }

  progress(): WarmProgress {
    const { view, world } = this.#parts
    const named = this.#naming.names.size
    return {
      phase: this.#phase,
      source: this.#source,
      named,
      ...this.#tally,
      keys: view.keys,
      bytes: view.bytes,
      coverage: named === 0 ? null : (this.#tally.kept + this.#tally.absent) / named,
      predicted: this.#prediction?.share() ?? null,
      isNamed: this.#naming.isDone,
      isFull: view.presentEvictions > this.#evictions,
      faults: [...this.#naming.faults],
      elapsedMs: (this.#end?.at ?? world.elapsed()) - this.#startedAt,
    }
  }

  #finish(why: WarmEnd): void {
    if (this.#end !== null) return
    this.#end = { why, at: this.#parts.world.elapsed() }
    this.#phase = 'ended'
    this.#source = null
    this.#prediction?.forget()
    this.#onEnd()
  }

  async #work(): Promise<void> {
    await this.#untilLive()
    // where it cannot be known, `predicted` says so; as a source it is read again, and what is wrong is told
    await this.#readHotList().catch(() => {})
    const pieces = this.#naming.pieces()
    try {
      let next = await pieces.next()
      while (next.done !== true && this.#end === null) {
        const { source, names } = next.value
        this.#source = source
        // one ahead: while these are read it is known whether there are more
        next = await pieces.next()
        await this.#settle(names)
      }
    } finally {
      await pieces.return()
    }
    this.#finish('all-named')
  }

  async #settle(names: readonly Name[]): Promise<void> {
    this.#begun += names.length
    let left = names
    do {
      await this.#untilLive()
      if (this.#isEmptied) left = this.#anew()
      left = await this.#adopt(left)
      left = await this.#read(left)
      if (left.length > 0) await pause(this.#parts.world, againMs)
    } while (this.#end === null && (left.length > 0 || this.#isEmptied))
  }

  get #isEmptied(): boolean {
    return this.#parts.tracker.counts.flushes !== this.#flushes
  }

  #anew(): readonly Name[] {
    this.#flushes = this.#parts.tracker.counts.flushes
    this.#tally = { kept: 0, absent: 0, refused: 0, dropped: 0 }
    this.#reads.clear()
    return [...this.#naming.names].slice(0, this.#begun)
  }

  /** The names that have to be read. Beginning with the last: the hottest is then the last to be evicted. */
  async #adopt(names: readonly Name[]): Promise<readonly Name[]> {
    this.#enter('adopting')
    const left: Name[] = []
    for (let at = names.length - 1; at >= 0 && this.#end === null; at -= 1) {
      const name = names[at] ?? ''
      if (!this.#isHeld(name)) left.push(name)
      if (at > 0 && at % adoptedAtOnce === 0) await pause(this.#parts.world, 0)
    }
    this.#lookAtTarget()
    return left.reverse()
  }

  /** Those to be tried again. */
  async #read(names: readonly Name[]): Promise<readonly Name[]> {
    const { settings, pace } = this.#parts
    this.#enter('reading')
    const again: Name[] = []
    for (let at = 0; at < names.length; at += settings.batch) {
      const batch = names.slice(at, at + settings.batch).filter((name) => !this.#isHeld(name))
      if (batch.length > 0) {
        await pace.take(batch.length)
        if (this.#end !== null || this.#isEmptied) return []
        again.push(...(await this.#readBatch(batch)))
      }
      if (this.#end !== null || this.#isEmptied) return []
      this.#lookAtTarget()
    }
    return again
  }

  async #readBatch(batch: readonly Name[]): Promise<Name[]> {
    const { tracker, view } = this.#parts
    const results = await Promise.all(batch.map((name) => tracker.filled(name, 'any', view)))
    if (this.#end !== null || this.#isEmptied) return []
    return batch.filter((name, at) => {
      const filled = results[at] ?? 'dropped'
      if (filled === 'dropped' && this.#mayReadAgain(name)) return true
      this.#tally[filled] += 1
      return false
    })
  }

  #mayReadAgain(name: Name): boolean {
    const reads = (this.#reads.get(name) ?? 0) + 1
    this.#reads.set(name, reads)
    return reads < maxReads
  }

  /** In this view, or in another one, whose entry this one has from now on. No `await` in here. */
  #isHeld(name: Name): boolean {
    const { view, world } = this.#parts
    const now = world.elapsed()
    for (const holder of this.#views) {
      const entry = holder.peek(name)
      if (entry === undefined || entry.deadline <= now) continue
      if (holder !== view) view.put(name, entry)
      this.#tally[entry.payload.is === 'absent' ? 'absent' : 'kept'] += 1
      return true
    }
    return false
  }

  #lookAtTarget(): void {
    if (this.#isEmptied || this.#end !== null) return
    const progress = this.progress()
    if (progress.isFull) this.#finish('full')
    else if (reachesTarget(progress, this.#parts.settings.target)) this.#finish('target')
  }

  #enter(phase: WarmProgress['phase']): void {
    if (this.#end === null) this.#phase = phase
  }

  async #untilLive(): Promise<void> {
    const { tracker, world } = this.#parts
    if (tracker.live) return
    this.#enter('waiting')
    await untilLive(tracker, world, () => this.#end !== null)
  }

  async #readHotList(): Promise<HotList> {
    const { world, view, settings, hotList } = this.#parts
    if (hotList === null) throw new BatonError('config', 'the names that are read most are not shared')
    this.#hotList ??= hotList()
    try {
      const list = await this.#hotList
      this.#prediction ??= new Prediction(world, view, list, (name) => renamed(name, settings.rename))
      return list
    } catch (error) {
      this.#hotList = null
      throw error
    }
  }
}

function given<T>(session: T | null): T {
  if (session === null) throw new BatonError('unreachable', 'redis is not tracked')
  return session
}
