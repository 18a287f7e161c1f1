/**
 * Keeps an app's own cache equal to its version's view (docs/reference/push.md). State and not events: what changed is known by name, and
 * told as it is when the batch is built.
 *
 *   greeting ──{resync, instance, epoch}──► streaming: seq 1 clears and tells everything, the next ones what changed
 *      ▲                                        │ ▲ │
 *      └──no answer in time, an odd one ────────┘ └─┘ taken
 *         (backoff)                               {resync}: at once, the second in a row as a failure
 *
 * - One batch is unanswered at a time, so that what the app holds is known up to it.
 * - A batch prolongs the app's lease only where it leaves nothing owed: all that the app holds was then as it is in the view.
 * - Without a live and fresh tracker nothing is sent, and the lease runs out.
 * - The fence: an answer has the app's last write that returned; once the tracker has heard all that Redis did until then, batches say so.
 */
import { errorMessage } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { World } from '../../world.ts'
import { type Name, nameOf } from '../entry.ts'
import type { Filled } from '../tracker.ts'
import type { View } from '../view.ts'
import { answerOf } from './answer.ts'
import { type AppAddress, AppLine } from './app-line.ts'
import { batchOf, isTellable, takeOps } from './batch.ts'
import { Dirty } from './dirty.ts'
import { type Answer, bytesOfWire, limits, type WireBytes } from './wire.ts'

export interface PushSettings {
  /** The app answers from its map for this long after baton was last known to be in time; its S is the tracker's plus this. */
  readonly leaseMs: number
  /** Operations in a batch, at most 256. */
  readonly batchOps: number
  /** For an answer. */
  readonly timeoutMs: number
}

/** The tracker, as far as a pusher needs it. */
export interface PushSource {
  fresh(now: number): boolean
  barrier(): Promise<void>
  filled(name: Name, want: 'any', view: View): Promise<Filled>
}

export interface PusherParts {
  readonly world: Pick<World, 'elapsed' | 'after' | 'random'>
  readonly log: Log
  readonly view: View
  readonly source: PushSource
  readonly app: AppAddress
  /** Whether Redis tells of changes of this key: no other may be read into the view. */
  readonly covers: (name: Name) => boolean
  readonly settings: PushSettings
}

export interface PushProgress {
  /** `off`: not started, closed, or nothing is tracked. */
  readonly state: 'off' | 'unreachable' | 'syncing' | 'in-sync'
  readonly epoch: number
  readonly seq: number
  /** Keys that the app is still to be told of. */
  readonly dirty: number
  /** Operations that the app has taken. */
  readonly acked: number
  /** Streams that were begun, the first one included. */
  readonly resyncs: number
  /** For how long the app has not had everything; 0 in sync. */
  readonly lagMs: number
  readonly failures: number
  /** Keys whose values do not fit into a line. */
  readonly tooLong: number
}

interface Stream {
  readonly instance: string
  readonly epoch: number
  seq: number
}

/** More names than this are owed: it is quicker to begin anew. */
const maxOwed = 100_000
const staleMs = 25
const backoffMs = { first: 50, last: 2_000 } as const
/** Keys that Redis holds and the view does not take (too big, of another type): not asked for again at once. */
const refusals = { keys: 1_024, forMs: 10_000 } as const

export class Pusher {
  readonly #parts: PusherParts
  readonly #dirty: Dirty
  readonly #line: AppLine
  readonly #counts = { acked: 0, resyncs: 0, failures: 0, tooLong: 0 }
  readonly #refused = new Set<Name>()
  #refusedSince = 0
  #stream: Stream | null = null
  #epoch = 0
  /** Never a fence of another instance: a stream begins with the one of its app. */
  #fence = 0
  #answeredAt = Number.NEGATIVE_INFINITY
  /** Failures in a row. */
  #failed = 0
  /** That it fails, in the log: once, until it is right again. */
  #isTold = false
  #behindSince: number
  #state: 'new' | 'running' | 'closed' = 'new'
  #wake: (() => void) | null = null
  /** Ends a pause that a change would not end. */
  #interrupt: (() => void) | null = null
  #run: Promise<void> = Promise.resolve()
  #waiting: ((isSynced: boolean) => void)[] = []

  constructor(parts: PusherParts) {
    const { view, app, world } = parts
    this.#parts = parts
    this.#line = new AppLine(app, world)
    this.#behindSince = world.elapsed()
    this.#dirty = new Dirty([...view.names(), ...view.absentNames()])
    view.onChange = (name, isHeld) => this.#changed(name, isHeld)
  }

  start(): void {
    if (this.#state !== 'new') return
    this.#state = 'running'
    this.#run = this.#loop()
  }

  isOf(view: View): boolean {
    return view === this.#parts.view
  }

  /** The app is told nothing more: its lease runs out. */
  async close(): Promise<void> {
    this.#state = 'closed'
    this.#parts.view.onChange = () => {}
    this.#line.close()
    this.#interrupt?.()
    this.#settle(false)
    await this.#run
  }

  get progress(): PushProgress {
    const { world, source } = this.#parts
    const now = world.elapsed()
    const isOff = this.#state !== 'running' || !source.fresh(now)
    const isSynced = this.#isSynced
    return {
      state: isOff ? 'off' : isSynced ? 'in-sync' : this.#isTold ? 'unreachable' : 'syncing',
      epoch: this.#epoch,
      seq: this.#stream?.seq ?? 0,
      dirty: this.#dirty.size,
      lagMs: isSynced ? 0 : now - this.#behindSince,
      ...this.#counts,
    }
  }

  /** True once nothing is dirty and everything is acknowledged; false when it is closed before. */
  synced(): Promise<boolean> {
    if (this.#state === 'closed') return Promise.resolve(false)
    if (this.#isSynced) return Promise.resolve(true)
    return new Promise((done) => this.#waiting.push(done))
  }

  get #isSynced(): boolean {
    return this.#stream !== null && this.#behindSince === Number.POSITIVE_INFINITY
  }

  #changed(name: Name | null, isHeld: boolean): void {
    if (name === null) this.#dirty.cleared()
    else this.#dirty.changed(name, isHeld)
    if (this.#stream === null) return
    if (this.#dirty.owed > maxOwed) this.#begin(null)
    this.#behind()
    this.#wake?.()
  }

  #behind(): void {
    this.#behindSince = Math.min(this.#behindSince, this.#parts.world.elapsed())
  }

  #settle(isSynced: boolean): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const done of waiting) done(isSynced)
  }

  async #loop(): Promise<void> {
    const { world, source, settings } = this.#parts
    while (this.#state === 'running') {
      const now = world.elapsed()
      const restMs = this.#answeredAt + settings.leaseMs / 3 - now
      if (!source.fresh(now)) await this.#pause(staleMs, false)
      else if (this.#stream === null || restMs <= 0 || !this.#dirty.isEmpty) await this.#exchange(this.#stream)
      else await this.#pause(restMs, true)
    }
  }

  async #exchange(stream: Stream | null): Promise<void> {
    try {
      // nothing is awaited between the look at the tracker, the view and the sending
      const answer = stream === null ? await this.#greet() : await this.#send(stream)
      await this.#heard(answer, stream)
    } catch (error) {
      if (this.#state === 'running') await this.#fail(errorMessage(error))
    }
  }

  async #greet(): Promise<Answer> {
    const body = batchOf({ instance: null, epoch: 0, seq: 0, fence: 0, leaseMs: 0 }, [])
    const answer = answerOf(await this.#line.post(body, this.#parts.settings.timeoutMs))
    if (!('resync' in answer)) throw new Error('the app took a greeting for a batch')
    return answer
  }

  async #send(stream: Stream): Promise<Answer> {
    const { view, world, settings } = this.#parts
    const { lines, tooLong } = takeOps(this.#dirty, view, world, settings.batchOps)
    this.#counts.tooLong += tooLong
    stream.seq += 1
    const leaseMs = this.#dirty.owed === 0 ? settings.leaseMs : 0
    const body = batchOf({ ...stream, fence: this.#fence, leaseMs }, lines)
    const answer = answerOf(await this.#line.post(body, settings.timeoutMs))
    if ('resync' in answer) return answer
    if (answer.instance !== stream.instance || answer.epoch !== stream.epoch || answer.seq !== stream.seq)
      throw new Error(`the app answered epoch ${answer.epoch}, seq ${answer.seq} to epoch ${stream.epoch}, seq ${stream.seq}`)
    this.#counts.acked += lines.length
    return answer
  }

  async #heard(answer: Answer, stream: Stream | null): Promise<void> {
    const { world, source, view } = this.#parts
    this.#answeredAt = world.elapsed()
    if ('resync' in answer) {
      if (stream !== null && this.#failed > 0) throw new Error(`the app began anew: ${answer.resync}`)
      if (stream !== null) this.#failed += 1
      this.#stream = null
      // asked for after the answer came: what the app's writes changed is heard of before
      await source.barrier()
      this.#fence = answer.fence
      return this.#begin(answer)
    }
    this.#recovered()
    if (answer.fence > this.#fence) {
      await source.barrier()
      this.#fence = answer.fence
    }
    for (const name of namesOf(answer.hit)) view.get(name)
    for (const name of namesOf(answer.want)) this.#wanted(name)
    // too much changed meanwhile, and all is told anew
    if (this.#stream !== stream || !this.#dirty.isEmpty) return
    this.#behindSince = Number.POSITIVE_INFINITY
    this.#settle(true)
  }

  /** A stream to this app; null: to whichever answers next. */
  #begin(app: Answer | null): void {
    this.#behind()
    this.#stream = app === null ? null : { instance: app.instance, epoch: app.epoch, seq: 0 }
    if (app === null) return this.#dirty.stop()
    this.#counts.resyncs += 1
    this.#epoch = app.epoch
    this.#dirty.start()
  }

  #wanted(name: Name): void {
    const { view, source, world, covers } = this.#parts
    const now = world.elapsed()
    if (!covers(name)) return
    if (isTellable(view.peek(name), now)) {
      this.#behind()
      return this.#dirty.lacks(name)
    }
    if (now - this.#refusedSince > refusals.forMs) {
      this.#refused.clear()
      this.#refusedSince = now
    }
    if (this.#refused.has(name)) return
    void source.filled(name, 'any', view).then((filled) => {
      if (filled === 'refused' && this.#refused.size < refusals.keys) this.#refused.add(name)
    })
  }

  async #fail(reason: string): Promise<void> {
    const { log, world, view, app } = this.#parts
    if (!this.#isTold) log.warn('push.failing', { version: view.version, path: app.path, reason })
    this.#isTold = true
    this.#failed += 1
    this.#counts.failures += 1
    if (this.#stream !== null) this.#begin(null)
    const longest = Math.min(backoffMs.last, backoffMs.first * 2 ** Math.min(this.#failed, 10))
    // instances of one app that were lost together come back at different times
    await this.#pause(longest * (0.5 + world.random() / 2), false)
  }

  #recovered(): void {
    if (this.#isTold) this.#parts.log.info('push.recovered', { version: this.#parts.view.version })
    this.#isTold = false
    this.#failed = 0
  }

  async #pause(ms: number, isWoken: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#parts.world.after(ms, resolve)
    this.#interrupt = resolve
    if (isWoken) this.#wake = resolve
    await promise
    timer.cancel()
    this.#interrupt = null
    this.#wake = null
  }
}

function namesOf(names: readonly WireBytes[] = []): readonly Name[] {
  return names.slice(0, limits.names).flatMap((name) => {
    const bytes = bytesOfWire(name)
    return bytes === null ? [] : [nameOf(bytes)]
  })
}
