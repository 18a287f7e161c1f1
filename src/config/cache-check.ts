/** Rules over the keys of the cache, and between it, the Redis of the bootstrap half, and the versions. */
import { type Complaint, complain, type Path } from './complaint.ts'
import type { Draft } from './draft.ts'
import { showKeyText } from './key-text.ts'
import { quoted } from './misread.ts'
import { formatDuration, formatPercent, formatSize } from './quantity.ts'
import type { CacheSettings, KeyBytes, Limits } from './settings.ts'

export function cacheComplaints({ cache, bootstrap, versions }: Draft): Complaint[] {
  if (cache === null) return []
  if (cache === 'none') return versions === null ? [] : pushes(versions)
  return [
    ...(bootstrap === null ? [] : withRedis(cache, bootstrap)),
    ...overlaps(cache.prefixes),
    ...budgets(cache),
    ...warmth(cache),
    ...hotNames(cache),
  ]
}

/** A gateway is of a version, which may be any time in either role. */
export function gatewayNames({ redis }: Limits): Complaint[] {
  return ['stable', 'candidate']
    .filter((role) => redis !== null && Object.hasOwn(redis.gateways, role))
    .map((role) =>
      complain(['bootstrap', 'redis', 'gateways', role], quoted(role), 'the name of a version', `${role} is the name of a role`, 'key'),
    )
}

function pushes(versions: NonNullable<Draft['versions']>): Complaint[] {
  return [...versions].flatMap(([name, version]) =>
    version === null || version.push === null ? [] : [complain(['versions', name, 'push'], 'push alone', 'cache and push together')],
  )
}

function withRedis(cache: CacheSettings, { redis }: Limits): Complaint[] {
  if (redis === null)
    return [
      complain(['cache'], 'cache alone', 'bootstrap.redis and cache together', "bootstrap.redis says where the app's Redis is", 'key'),
    ]
  if (redis.names !== null) return []
  return sourcesOf(cache, 'file').map((path) =>
    complain(path, 'file', 'another source, or bootstrap.redis.names', 'bootstrap.redis.names is the file'),
  )
}

function sourcesOf({ warm }: CacheSettings, is: CacheSettings['warm']['from'][number]['is']): Path[] {
  return warm.from.flatMap((source, index) => (source.is === is ? [['cache', 'warm', 'from', index]] : []))
}

/** Redis refuses to track them. */
function overlaps(prefixes: readonly KeyBytes[]): Complaint[] {
  return prefixes.flatMap((prefix, index) => {
    const other = prefixes.slice(0, index).findIndex((before) => meets(prefix, before))
    if (other === -1) return []
    const hint = `cache.prefixes[${other}] is ${showKeyText(prefixes[other] ?? '')}`
    return [complain(['cache', 'prefixes', index], showKeyText(prefix), 'a prefix that begins with no other, and no other with it', hint)]
  })
}

function meets(a: KeyBytes, b: KeyBytes): boolean {
  return a.startsWith(b) || b.startsWith(a)
}

function budgets({ memoryBytes, maxValueBytes, warm }: CacheSettings): Complaint[] {
  const expected = `at most the memory of the cache, ${formatSize(memoryBytes)}`
  const tooLarge = (path: Path, bytes: number | null) =>
    bytes === null || bytes <= memoryBytes ? [] : [complain(path, formatSize(bytes), expected)]
  return [...tooLarge(['cache', 'maxValue'], maxValueBytes), ...tooLarge(['cache', 'warm', 'target', 'bytes'], warm.target.bytes)]
}

function warmth({ prefixes, warm }: CacheSettings): Complaint[] {
  const isCached = (name: KeyBytes) => prefixes.some((prefix) => meets(name, prefix))
  const isNamed = (name: KeyBytes) => isCached(name) || warm.rename.some(({ from }) => meets(name, from))
  const hint = `cached is ${prefixes.slice(0, 10).map(showKeyText).join(', ')}`
  return [
    ...warm.rename.flatMap(({ to }, index) =>
      isCached(to) ? [] : [complain(['cache', 'warm', 'rename', index, 'to'], showKeyText(to), 'names within the cached prefixes', hint)],
    ),
    ...warm.from.flatMap((source, index) =>
      source.is !== 'scan' || isNamed(literalHead(source.pattern))
        ? []
        : [
            complain(
              ['cache', 'warm', 'from', index, 'scan'],
              showKeyText(source.pattern),
              'a pattern of names within the cached prefixes',
              hint,
            ),
          ],
    ),
  ]
}

function literalHead(pattern: KeyBytes): KeyBytes {
  return pattern.replace(/[*?[\\].*$/s, '')
}

function hotNames(cache: CacheSettings): Complaint[] {
  const { prefixes, warm } = cache
  if (cache.hotNames === null) {
    const { predicted } = warm.target
    const path = ['cache', 'warm', 'target', 'predicted']
    return [
      ...sourcesOf(cache, 'hot-names').map((source) => complain(source, 'hot-names', 'another source while hotNames is off')),
      ...(predicted === null ? [] : [complain(path, formatPercent(predicted), 'another target while hotNames is off')]),
    ]
  }
  const { key, everyMs, ttlMs } = cache.hotNames
  const within = prefixes.find((prefix) => prefix !== '' && meets(key, prefix))
  const hint = `${showKeyText(within ?? '')} is cached`
  const times = `ttl ${formatDuration(ttlMs)} and every ${formatDuration(everyMs)}`
  return [
    ...(within === undefined
      ? []
      : [complain(['cache', 'hotNames', 'key'], showKeyText(key), 'keys outside of the cached prefixes', hint)]),
    ...(ttlMs > everyMs ? [] : [complain(['cache', 'hotNames'], times, 'a ttl longer than every', 'set both')]),
  ]
}
