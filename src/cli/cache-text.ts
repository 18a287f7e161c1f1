/** The cache's figures as tables for people. Pure. */
import type { CacheStats, SourceStats, VersionStats } from '../cache/stats.ts'
import { table } from './table.ts'

export function cacheText({ source, versions }: CacheStats): string {
  return `${sourceLine(source)}\n\n${table(head, versions.map(row))}`
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

export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes}B`
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)}KiB` : `${(bytes / 1_048_576).toFixed(1)}MiB`
}
