/** The cache of all versions: their gateways, which stay, and the caching under the present configuration, which is swapped. */
import type { CacheSettings, Dynamic, RedisSettings } from '../config/settings.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Endpoint } from '../upstream/transport/transport.ts'
import { pause, type World } from '../world.ts'
import { Caching } from './caching.ts'
import { Gateway } from './gateway/gateway.ts'
import { openRedis } from './gateway/open-redis.ts'
import { collectCacheMetrics } from './metrics.ts'
import type { AppAddress } from './push/app-line.ts'
import type { Credentials } from './redis/credentials.ts'
import { type Master, masterOf } from './redis/master.ts'
import { notTaken, uncached, type Warmed, warmedOf } from './warmed.ts'

export interface CacheParts {
  readonly world: World
  readonly log: Log
  readonly metrics: Metrics
  readonly redis: RedisSettings
  readonly credentials: Credentials
  /** Of this baton among those that share hot names. */
  readonly instance: string
  /** Where the version's app listens; null: it is not there. */
  endpointOf(version: string): Endpoint | null
  /** The versions whose caches are warmed as soon as Redis is tracked. */
  serving(): readonly string[]
}

/** For a first word of who is master. */
const patienceMs = 1_000

export class Cache {
  readonly gateways: readonly Gateway[]
  readonly #parts: CacheParts
  readonly #master: Master
  #caching: Caching | null = null
  /** What `#caching` was made from. */
  #made = ''
  /** Path at the app of each version that is pushed to. */
  #paths: ReadonlyMap<string, string> = new Map()

  constructor(parts: CacheParts) {
    const { redis, credentials, world, log, metrics } = parts
    this.#parts = parts
    this.#master = masterOf(redis, credentials, world)
    const openClient = () => (this.#master.access === null ? null : openRedis(this.#master.access))
    this.gateways = Object.keys(redis.gateways).map((version) => new Gateway({ world, version, log, openRedis: openClient }))
    collectCacheMetrics(metrics, this)
  }

  /** Null while the configuration has none. */
  get caching(): Caching | null {
    return this.#caching
  }

  /** `fdOf`: of the socket that the keeper has bound for a version. @throws BatonError `bind` */
  async start(fdOf: (version: string) => number): Promise<void> {
    // nobody to ask: clients are turned away until there is
    await Promise.race([this.#master.find().catch(() => {}), pause(this.#parts.world, patienceMs)])
    this.#master.follow((address) => this.#moved(address))
    for (const gateway of this.gateways) await gateway.listen({ fd: fdOf(gateway.version) })
  }

  async stop(): Promise<void> {
    await this.#use(null)
    this.#master.close()
    await Promise.all(this.gateways.map((gateway) => gateway.close()))
  }

  /** Other settings begin with empty views; a version that comes or goes leaves those of the others as they are. */
  follow({ cache, versions }: Pick<Dynamic, 'cache' | 'versions'>): void {
    this.#paths = new Map(Object.entries(versions).flatMap(([version, { push }]) => (push === null ? [] : [[version, push]])))
    const names = [...new Set([...Object.keys(this.#parts.redis.gateways), ...this.#paths.keys()])]
    const made = cache === null ? '' : JSON.stringify(cache)
    if (made === this.#made) return this.#caching?.keepFor(names)
    this.#made = made
    void this.#use(cache === null ? null : this.#make(cache, names))
  }

  /** Fills the version's view, and begins anew where the configuration changes meanwhile. Never rejects. */
  async warm(version: string): Promise<Warmed> {
    for (;;) {
      const caching = this.#caching
      const warmed = caching === null ? nothingToWarm : await warmIn(caching, version)
      if (caching === this.#caching) return warmed
    }
  }

  #make(settings: CacheSettings, versions: readonly string[]): Caching {
    const { redis } = this.#parts
    return new Caching({
      ...this.#parts,
      appOf: (version) => this.#appOf(version),
      master: this.#master,
      database: redis.database,
      names: redis.names,
      settings,
      versions,
    })
  }

  #appOf(version: string): AppAddress | null {
    const path = this.#paths.get(version)
    const endpoint = this.#parts.endpointOf(version)
    if (path === undefined || endpoint === null) return null
    const address = endpoint.is === 'tcp' ? ({ is: 'tcp', host: endpoint.address, port: endpoint.port } as const) : endpoint
    return { address, path }
  }

  async #use(caching: Caching | null): Promise<void> {
    const before = this.#caching
    this.#caching = caching
    for (const gateway of this.gateways) gateway.use(caching?.readsOf(gateway.version) ?? null)
    caching?.start()
    await before?.stop()
  }

  /** What clients and the tracker are connected to is the master no more. */
  #moved(address: string): void {
    this.#parts.log.warn('cache.failover', { redis: address })
    this.#caching?.tracker.lose(`the master is ${address} now`)
    for (const gateway of this.gateways) gateway.disconnect()
  }
}

const nothingToWarm: Warmed = { is: 'none' }

async function warmIn({ warming, pushing, settings, tracker }: Caching, version: string): Promise<Warmed> {
  // nothing to wait for: this Redis is passed through
  if (tracker.isUnsuitable) return uncached(version, tracker.whyNot ?? '', settings.warm.require)
  const warmed = await warming.warm(version)
  if (warmed === null) return nothingToWarm
  const { deadlineMs, require } = settings.warm
  const isTaken = await pushing.synced(version, deadlineMs - warmed.progress.elapsedMs)
  return isTaken ? warmedOf(version, warmed) : notTaken(version, warmed, require)
}
