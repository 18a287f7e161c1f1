/** All that the cache says of itself, as JSON. */
import type { Cache } from './cache.ts'
import type { Caching } from './caching.ts'
import type { PushProgress } from './push/pusher.ts'
import type { View } from './view.ts'
import type { WarmState } from './warming.ts'

export interface CacheStats {
  /** Null while the configuration has no cache: everything is passed through. */
  readonly source: SourceStats | null
  readonly versions: readonly VersionStats[]
}

export interface SourceStats {
  readonly live: boolean
  /** Why nothing is answered locally; null while it is. */
  readonly whyNot: string | null
  readonly redis: { readonly address: string; readonly version: string; readonly user: string } | null
  /** ms since what is held is known to have been current; null while nothing is. */
  readonly staleMs: number | null
  readonly counts: Caching['tracker']['counts']
}

export interface VersionStats {
  readonly version: string
  /** Null without a gateway. */
  readonly clients: number | null
  readonly hits: number
  readonly misses: number
  readonly passed: number
  readonly keys: number
  readonly absentKeys: number
  readonly bytes: number
  readonly evictions: number
  /** Of the last warm-up; null: there was none. */
  readonly warm: WarmState | null
  /** To the app's own cache; null: nothing is pushed. */
  readonly push: PushProgress | null
}

export function cacheStats(cache: Cache, now: number): CacheStats {
  const { caching, gateways } = cache
  const names = new Set([...gateways.map(({ version }) => version), ...(caching?.views ?? []).map(({ version }) => version)])
  return {
    source: caching === null ? null : sourceStats(caching, now),
    versions: [...names].map((version) => versionStats(cache, version)),
  }
}

function sourceStats({ tracker }: Caching, now: number): SourceStats {
  const { live, whyNot, session, counts } = tracker
  const redis = session === null ? null : { address: session.server.address, version: session.server.version, user: session.server.user }
  return { live, whyNot, redis, staleMs: live ? Math.round(now - tracker.freshAt) : null, counts }
}

const nothing = { keys: 0, absentKeys: 0, bytes: 0, evictions: 0 }

function versionStats({ caching, gateways }: Cache, version: string): VersionStats {
  const view: View | null = caching?.viewOf(version) ?? null
  const { hits, misses, passed } = caching?.readsOf(version)?.counts ?? { hits: 0, misses: 0, passed: 0 }
  const { keys, absentKeys, bytes, evictions } = view ?? nothing
  const clients = gateways.find((gateway) => gateway.version === version)?.clients ?? null
  const warm = caching?.warming.stateOf(version) ?? null
  const push = caching?.pushing.progressOf(version) ?? null
  return { version, clients, hits, misses, passed, keys, absentKeys, bytes, evictions, warm, push }
}
