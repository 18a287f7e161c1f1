/** What an operator asks of the cache. */
import type { World } from '../world.ts'
import type { Cache } from './cache.ts'
import { explainKey, type KeyExplanation } from './explain.ts'
import { type CacheStats, cacheStats } from './stats.ts'
import type { WarmState } from './warming.ts'

export interface CacheControl {
  stats(): CacheStats
  explain(key: Buffer): Promise<KeyExplanation>
  flush(): void
  /** As it has begun, or stands. Null: there is no such version with a cache. */
  warm(version: string): WarmState | null
}

export function cacheControl(cache: Cache, world: Pick<World, 'elapsed'>): CacheControl {
  return {
    stats: () => cacheStats(cache, world.elapsed()),
    explain: (key) => explainKey(cache.caching, key, world.elapsed()),
    flush: () => cache.caching?.tracker.killAll(),
    warm(version) {
      const warming = cache.caching?.warming
      const begun = warming?.warm(version) ?? null
      return begun === null ? null : (warming?.stateOf(version) ?? null)
    },
  }
}
