/** The cache's figures as tables for people. Pure. */

import type { PushProgress } from '../cache/push/pusher.ts'
import type { CacheStats, SourceStats, VersionStats } from '../cache/stats.ts'
import type { WarmState } from '../cache/warming.ts'
import { hasAll } from './answer.ts'
import { table } from './table.ts'

export function isStats(value: unknown): value is CacheStats {
  return hasAll(value, ['source', 'versions'])
}

export function cacheText({ source, versions }: CacheStats): string {
  const warm = versions.flatMap(({ version, warm, push }) => [
    ...(warm === null ? [] : [`${version} ${warmText(warm)}\n`]),
    ...(push === null ? [] : [`${version} ${pushText(push)}\n`]),
  ])
  return `${sourceLine(source)}\n\n${table(head, versions.map(row))}${warm.length === 0 ? '' : `\n${warm.join('')}`}`
}

const head = ['VERSION', 'KEYS', 'BYTES', 'HITS', 'MISSES', 'HIT RATIO', 'PASSED', 'EVICTED', 'CLIENTS']

function sourceLine(source: SourceStats | null): string {
  if (source === null) return 'no cache is configured: everything is passed through'
  const { redis, staleMs, whyNot, counts } = source
  if (whyNot !== null || redis === null) return `passed through uncached: ${whyNot ?? 'no Redis'}`
  const doings = `${counts.fills} read, ${counts.kills} dropped, ${counts.refreshes} read again, lost ${counts.losses} times`
  return `redis ${redis.address} (${redis.version}), as ${redis.user}, current ${staleMs}ms ago: ${doings}`
}

function row({ version, keys, absentKeys, bytes, hits, misses, passed, evictions, clients }: VersionStats): string[] {
  const asked = hits + misses
  const ratio = asked === 0 ? '-' : `${((hits / asked) * 100).toFixed(1)}%`
  const all = absentKeys === 0 ? String(keys) : `${keys}+${absentKeys} absent`
  return [version, all, bytesText(bytes), String(hits), String(misses), ratio, String(passed), String(evictions), String(clients ?? '-')]
}

/** `warming, reading hot-names: 4200 of 9000 names, 46%` */
export function warmText({ ended, share, verdict, progress }: WarmState): string {
  const { phase, source, named, kept, absent, refused, keys, elapsedMs, predicted, faults } = progress
  const done = `${kept + absent + refused} of ${named} names, ${keys} keys held, ${Math.round(elapsedMs / 100) / 10}s`
  const shares = `${share === null ? '' : `, ${Math.floor(share * 100)}%`}${predicted === null ? '' : `, would answer ${Math.floor(predicted * 100)}% of reads`}`
  const trouble = faults.length === 0 ? '' : `; ${faults.join('; ')}`
  if (ended === null) return `is warming, ${phase}${source === null ? '' : ` ${source}`}: ${done}${shares}${trouble}`
  if (share === null) return `was not warmed (${ended}): nothing was named that could be${trouble}`
  return `${verdict === 'go' ? 'was warmed' : 'is colder than it should be'} (${ended}): ${done}${shares}${trouble}`
}

/** `is pushed to, in-sync: 4200 operations taken, 0 keys to tell` */
function pushText({ state, acked, dirty, lagMs, resyncs, failures }: PushProgress): string {
  const lag = lagMs === 0 ? '' : `, ${Math.round(lagMs)}ms behind`
  return `is pushed to, ${state}: ${acked} operations taken, ${dirty} keys to tell${lag}; ${resyncs} resyncs, ${failures} failures`
}

export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes}B`
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)}KiB` : `${(bytes / 1_048_576).toFixed(1)}MiB`
}
