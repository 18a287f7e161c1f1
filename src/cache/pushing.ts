/** The apps that have a cache of their own: a pusher for each, which comes and goes with where its app is. */
import type { CacheSettings } from '../config/settings.ts'
import type { Log } from '../telemetry/log.ts'
import type { Timer, World } from '../world.ts'
import type { Name } from './entry.ts'
import type { AppAddress } from './push/app-line.ts'
import { Pusher, type PushProgress } from './push/pusher.ts'
import type { Tracker } from './tracker.ts'
import type { View } from './view.ts'

export interface PushingParts {
  readonly world: World
  readonly log: Log
  readonly tracker: Tracker
  readonly views: readonly View[]
  readonly settings: CacheSettings
  /** Where the version's app takes what is pushed; null: it is not there, or takes nothing. */
  appOf(version: string): AppAddress | null
  covers(name: Name): boolean
}

interface Pushed {
  readonly place: string
  readonly pusher: Pusher
}

/** An app that moved is pushed to this much later; one that came back where it was is known by its pusher. */
const lookEveryMs = 500

export class Pushing {
  readonly #parts: PushingParts
  readonly #pushed = new Map<string, Pushed>()
  #timer: Timer | null = null
  #isStopped = false

  constructor(parts: PushingParts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer = this.#parts.world.every(lookEveryMs, () => this.#look())
    this.#look()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    const all = [...this.#pushed.values()]
    this.#pushed.clear()
    await Promise.all(all.map(({ pusher }) => pusher.close()))
  }

  /** Null: nothing is pushed to the version. */
  progressOf(version: string): PushProgress | null {
    return this.#pushed.get(version)?.pusher.progress ?? null
  }

  /** True once the app has all that its view holds; true too where nothing is pushed. False: not within the time, or not any more. */
  async synced(version: string, withinMs: number): Promise<boolean> {
    // whoever waited for a warm-up asks when it was cancelled, too
    if (this.#isStopped) return false
    this.#look()
    const pushed = this.#pushed.get(version)
    if (pushed === undefined) return true
    const late = Promise.withResolvers<boolean>()
    const timer = this.#parts.world.after(Math.max(0, withinMs), () => late.resolve(false))
    const isSynced = await Promise.race([pushed.pusher.synced(), late.promise])
    timer.cancel()
    return isSynced
  }

  #look(): void {
    for (const [version, { pusher }] of this.#pushed) {
      if (this.#parts.views.some((view) => view.version === version && pusher.isOf(view))) continue
      this.#pushed.delete(version)
      void pusher.close()
    }
    for (const view of this.#parts.views) {
      const app = this.#parts.appOf(view.version)
      const place = app === null ? '' : JSON.stringify(app)
      const before = this.#pushed.get(view.version)
      if ((before?.place ?? '') === place) continue
      this.#pushed.delete(view.version)
      // nothing is left to wait for: it hears nothing from here on
      void before?.pusher.close()
      if (app !== null) this.#pushed.set(view.version, { place, pusher: this.#begin(view, app) })
    }
  }

  #begin(view: View, app: AppAddress): Pusher {
    const { world, log, tracker, settings, covers } = this.#parts
    const { leaseMs, batch, timeoutMs } = settings.push
    const pusher = new Pusher({ world, log, view, source: tracker, app, covers, settings: { leaseMs, batchOps: batch, timeoutMs } })
    pusher.start()
    return pusher
  }
}
