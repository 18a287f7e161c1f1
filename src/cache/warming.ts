/** Everything that reads keys before clients ask for them: warm-ups of a view, what a loss emptied, and the names that are worth it. */
import type { CacheSettings } from '../config/settings.ts'
import { errorMessage } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { World } from '../world.ts'
import type { Name } from './entry.ts'
import type { Tracker } from './tracker.ts'
import type { View } from './view.ts'
import { readHotList } from './warm/hot-list.ts'
import { HotNames } from './warm/hot-names.ts'
import { Pace } from './warm/pace.ts'
import { judgeWarm, shareWarm, type WarmProgress, type WarmVerdict } from './warm/progress.ts'
import { ReWarm } from './warm/re-warm.ts'
import type { WarmSettings } from './warm/settings.ts'
import { type WarmEnd, WarmUp } from './warm/warm-up.ts'

export interface WarmingParts {
  readonly world: World
  readonly log: Log
  readonly tracker: Tracker
  /** Those that there are now. */
  readonly views: readonly View[]
  readonly settings: CacheSettings
  /** Path of a file of names; null: there is none. */
  readonly names: string | null
  /** Of this baton among those that share hot names. */
  readonly instance: string
}

/** Of one warm-up, under way or ended. */
export interface WarmState {
  readonly ended: WarmEnd | null
  /** Of what it was to reach; null: nothing was named. */
  readonly share: number | null
  /** As it stands: while it runs there is more to come. */
  readonly verdict: WarmVerdict
  readonly progress: WarmProgress
}

/** Of each view, after a lost session. */
const reWarmed = 20_000

interface Run {
  readonly view: View
  readonly result: Promise<WarmState>
  /** As it stands now; once it has ended, as it ended. */
  state(): WarmState
}

export class Warming {
  readonly #parts: WarmingParts
  readonly #settings: WarmSettings
  readonly #pace: Pace
  readonly #reWarm: ReWarm
  readonly #hotNames: HotNames | null
  readonly #stopped = new AbortController()
  readonly #runs = new Map<string, Run>()

  constructor(parts: WarmingParts) {
    const { world, log, tracker, views, settings, instance } = parts
    const { rate, ...warm } = settings.warm
    this.#parts = parts
    this.#settings = { ...warm, perSecond: rate }
    this.#pace = new Pace(world, rate)
    this.#reWarm = new ReWarm({ world, tracker, views, pace: this.#pace, batch: warm.batch, most: reWarmed })
    const { hotNames } = settings
    this.#hotNames = hotNames === null ? null : new HotNames({ world, log, settings: hotNames, instance, session: () => tracker.session })
  }

  /** What its clients read is counted among the hot names. */
  follow(view: View): void {
    view.onRead = this.#hotNames === null ? null : (name) => this.#note(name)
  }

  /** Whether there is anywhere to take names from before another version has any. */
  get knowsNames(): boolean {
    return this.#settings.from.some(({ is }) => is !== 'other-version')
  }

  start(): void {
    this.#hotNames?.start()
  }

  stop(): void {
    this.#stopped.abort()
    this.#hotNames?.stop()
    this.#reWarm.stop()
  }

  /** Before the views are emptied. */
  lost(): void {
    this.#reWarm.lost()
  }

  /** Tracked again. */
  live(): void {
    this.#reWarm.live()
  }

  /** Of the last warm-up of the version's view; null: there was none. */
  stateOf(version: string): WarmState | null {
    return this.#runOf(version)?.state() ?? null
  }

  /** One that is under way is joined. Never rejects; null: there is no such view. */
  warm(version: string): Promise<WarmState> | null {
    const running = this.#runOf(version)
    if (running?.state().ended === null) return running.result
    const view = this.#viewOf(version)
    return view === undefined ? null : this.#begin(view)
  }

  #viewOf(version: string): View | undefined {
    return this.#parts.views.find((each) => each.version === version)
  }

  /** Of a view that is there no more it says nothing. */
  #runOf(version: string): Run | null {
    const run = this.#runs.get(version)
    return run !== undefined && run.view === this.#viewOf(version) ? run : null
  }

  #begin(view: View): Promise<WarmState> {
    const { world, tracker, views, settings, names, log } = this.#parts
    const { hotNames } = settings
    const warmUp = new WarmUp({
      world,
      tracker,
      view,
      settings: this.#settings,
      others: views.filter((other) => other !== view),
      pace: this.#pace,
      file: names,
      isCached: (name) => this.#isCached(name),
      hotList: hotNames === null ? null : () => this.#hotList(hotNames.key, hotNames.top),
    })
    log.info('cache.warming', { version: view.version, from: this.#settings.from.map(({ is }) => is) })
    const ended = warmUp.run(this.#stopped.signal).then(
      ({ why }) => why,
      (error: unknown): WarmEnd => {
        log.error('cache.warm_failed', { version: view.version, reason: errorMessage(error) })
        return 'cancelled'
      },
    )
    let last: WarmState | null = null
    const result = ended.then((why) => {
      last = this.#told(view.version, this.#stateOf(warmUp, why))
      return last
    })
    this.#runs.set(view.version, { view, result, state: () => last ?? this.#stateOf(warmUp, null) })
    return result
  }

  #told(version: string, state: WarmState): WarmState {
    const { keys, bytes, coverage, predicted, elapsedMs, faults } = state.progress
    const fields = {
      version,
      ended: state.ended,
      share: state.share,
      keys,
      bytes,
      coverage,
      predicted,
      took_ms: Math.round(elapsedMs),
      faults,
    }
    if (state.verdict === 'go') this.#parts.log.info('cache.warmed', fields)
    else this.#parts.log.warn('cache.warmed', fields)
    return state
  }

  #stateOf(warmUp: WarmUp, ended: WarmEnd | null): WarmState {
    const progress = warmUp.progress()
    // nothing was asked for, which is no reason to warn
    const verdict = this.#settings.from.length === 0 ? 'go' : judgeWarm(progress, this.#settings)
    return { ended, share: shareWarm(progress, this.#settings.target), verdict, progress }
  }

  #hotList(key: Name, top: number) {
    const { session } = this.#parts.tracker
    if (session === null) return Promise.reject(new Error('redis is not tracked'))
    return readHotList(session, key, top)
  }

  #note(name: Name): void {
    if (this.#isCached(name)) this.#hotNames?.note(name)
  }

  #isCached(name: Name): boolean {
    return this.#parts.settings.prefixes.some((prefix) => name.startsWith(prefix))
  }
}
