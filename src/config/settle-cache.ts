/** From the cache as it is written to its settings. */
import type { CacheDocument } from './schema-cache.ts'
import type { CacheSettings, WarmSettings, WarmSource } from './settings.ts'

export function settleCache(document: CacheDocument): CacheSettings {
  const { prefixes, tracking, consistency, absent, refresh, hotNames, push } = document
  return {
    prefixes: prefixes ?? [''],
    tracking,
    stalenessMs: document.staleness,
    consistency,
    memoryBytes: document.memory,
    maxValueBytes: document.maxValue,
    maxFields: document.maxFields,
    maxAgeMs: document.maxAge,
    absent: { memoryBytes: absent.memory, maxAgeMs: absent.maxAge },
    refresh: { everyMs: refresh.every, perSecond: refresh.perSecond },
    warm: settleWarm(document.warm, hotNames !== 'off'),
    hotNames: hotNames === 'off' ? null : { key: hotNames.key, everyMs: hotNames.every, ttlMs: hotNames.ttl, top: hotNames.top },
    push: { leaseMs: push.lease, batch: push.batch, timeoutMs: push.timeout },
  }
}

function settleWarm({ from, batch, rate, deadline, target, require, rename }: CacheDocument['warm'], hasHotNames: boolean): WarmSettings {
  const usual = hasHotNames ? (['other-version', 'hot-names'] as const) : (['other-version'] as const)
  return {
    from: (from ?? usual).map((source): WarmSource => (typeof source === 'string' ? { is: source } : { is: 'scan', pattern: source.scan })),
    batch,
    rate,
    deadlineMs: deadline,
    target: { keys: target.keys, bytes: target.bytes ?? null, predicted: target.predicted ?? null },
    require: require ?? null,
    rename,
  }
}
