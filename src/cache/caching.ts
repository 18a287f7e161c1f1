/** The cache under one configuration: a view for each version, one tracker that keeps them true, and what lies around it. */
import type { CacheSettings } from '../config/settings.ts'
import type { Log } from '../telemetry/log.ts'
import type { World } from '../world.ts'
import type { Name } from './entry.ts'
import { CommandTable } from './gateway/command-table.ts'
import { Reads } from './gateway/reads.ts'
import type { AppAddress } from './push/app-line.ts'
import { Pushing } from './pushing.ts'
import type { Master } from './redis/master.ts'
import { openPair } from './redis/pair.ts'
import { Toucher } from './toucher.ts'
import { Tracker } from './tracker.ts'
import { View } from './view.ts'
import { Warming } from './warming.ts'

export interface CachingParts {
  readonly world: World
  readonly log: Log
  readonly master: Master
  readonly database: number
  readonly settings: CacheSettings
  /** Those that have a cache at first. */
  readonly versions: readonly string[]
  readonly names: string | null
  readonly instance: string
  /** Where the version's app takes what is pushed; null: it is not there, or takes nothing. */
  appOf(version: string): AppAddress | null
  /** The versions to be warmed as soon as Redis is tracked. */
  serving(): readonly string[]
}

export class Caching {
  readonly settings: CacheSettings
  readonly tracker: Tracker
  readonly warming: Warming
  readonly pushing: Pushing
  readonly #views: View[] = []
  readonly #reads = new Map<string, Reads>()
  readonly #readsOf: (view: View) => Reads
  readonly #log: Log
  readonly #toucher: Toucher
  readonly #serving: () => readonly string[]
  #commands: CommandTable | null = null
  #wasLive = false

  constructor({ world, log, master, database, settings, versions, names, instance, appOf, serving }: CachingParts) {
    const { absent, refresh, prefixes, tracking } = settings
    const views = this.#views
    this.settings = settings
    this.#log = log
    this.#serving = serving
    this.tracker = new Tracker({
      world,
      log,
      views,
      open: async (hooks, signal) => openPair(await master.find(), { by: tracking, prefixes }, hooks, signal),
      settings: {
        ...settings,
        absentMaxAgeMs: absent.maxAgeMs,
        refreshEveryMs: refresh.everyMs,
        refreshPerSecond: refresh.perSecond,
      },
      onLive: () => this.#onLive(),
      onLost: () => this.warming.lost(),
    })
    this.warming = new Warming({ world, log, tracker: this.tracker, views, settings, names, instance })
    const covers = (name: Name) => prefixes.some((prefix) => name.startsWith(prefix))
    this.pushing = new Pushing({ world, log, tracker: this.tracker, views, settings, appOf, covers })
    this.#toucher = new Toucher(views, () => this.tracker.session, log, world)
    const limits = { ...settings, causal: settings.consistency === 'causal', database }
    this.#readsOf = (view) => new Reads(view, this.tracker, world, limits, () => this.#commands)
    this.keepFor(versions)
  }

  get views(): readonly View[] {
    return this.#views
  }

  /** These have a cache from now on: a new one is empty, one that stays keeps what it holds. */
  keepFor(versions: readonly string[]): void {
    const { absent, memoryBytes } = this.settings
    for (const { version } of [...this.#views]) if (!versions.includes(version)) this.#drop(version)
    for (const version of versions) {
      if (this.viewOf(version) !== null) continue
      const view = new View(version, { bytes: memoryBytes, absentBytes: absent.memoryBytes })
      this.#views.push(view)
      this.#reads.set(version, this.#readsOf(view))
      this.warming.follow(view)
    }
    this.#toucher.begin()
  }

  #drop(version: string): void {
    const at = this.#views.findIndex((view) => view.version === version)
    this.#views.splice(at, 1)
    this.#reads.delete(version)
  }

  readsOf(version: string): Reads | null {
    return this.#reads.get(version) ?? null
  }

  viewOf(version: string): View | null {
    return this.views.find((view) => view.version === version) ?? null
  }

  start(): void {
    this.warming.start()
    this.pushing.start()
    this.tracker.start()
  }

  async stop(): Promise<void> {
    this.warming.stop()
    this.#toucher.stop()
    this.tracker.stop()
    await this.pushing.stop()
  }

  #onLive(): void {
    const { session } = this.tracker
    if (session === null) return
    const { address, version, user } = session.server
    this.#commands = CommandTable.of(session.server.commands)
    this.#toucher.begin()
    this.#log.info('cache.live', { redis: address, redis_version: version, user })
    if (this.#wasLive) this.warming.live()
    else if (this.warming.knowsNames) for (const serving of this.#serving()) void this.warming.warm(serving)
    this.#wasLive = true
  }
}
