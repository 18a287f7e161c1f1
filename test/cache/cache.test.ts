/** The cache of all versions over a real Redis, while its configuration changes. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { Cache } from '../../src/cache/cache.ts'
import type { Dynamic } from '../../src/config/settings.ts'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { realWorld } from '../../src/world.ts'
import { parse } from '../config/fixture.ts'
import { needs } from '../kit/packages.ts'
import { startRedis } from '../kit/redis.ts'
import { redisClient } from '../kit/redis-client.ts'
import { until } from '../kit/until.ts'

const items = 200

interface Rig {
  readonly cache: Cache
  readonly records: readonly LogRecord[]
  follow(cache: object | null, pushed?: readonly string[]): void
}

/** Versions v1 to v3, and keys under `k:`; nothing listens, so that an app that is pushed to does not answer. */
interface RigOptions {
  readonly gateways?: readonly string[]
  /** Lines of redis.conf. */
  readonly conf?: readonly string[]
}

async function setUp(t: TestContext, { gateways = ['v1', 'v2'], conf = [] }: RigOptions = {}): Promise<Rig> {
  const redis = await startRedis({ conf })
  t.after(() => redis[Symbol.asyncDispose]())
  const client = redisClient(redis.port)
  if (conf.length === 0) await client.mset(Object.fromEntries(Array.from({ length: items }, (_, at) => [`k:${at}`, `value of ${at}`])))
  client.disconnect()
  const dynamicOf = (cache: object | null, pushed: readonly string[]): Pick<Dynamic, 'cache' | 'versions'> => {
    const versions = ['v1', 'v2', 'v3'].map((name) => [
      name,
      { url: 'http://127.0.0.1:1', ...(pushed.includes(name) ? { push: '/baton/cache' } : {}) },
    ])
    const config = { versions: Object.fromEntries(versions), stable: 'v1', bootstrap: { redis: { url: redis.url } } }
    return parse(JSON.stringify(cache === null ? config : { ...config, cache: { prefixes: ['k:'], ...cache } })).dynamic
  }
  const records: LogRecord[] = []
  const cache = new Cache({
    world: realWorld,
    log: createLog(realWorld, 'info', [(record) => void records.push(record)]),
    metrics: new Metrics(),
    redis: {
      place: { is: 'tcp', host: '127.0.0.1', port: redis.port },
      database: 0,
      login: null,
      tls: null,
      gateways: Object.fromEntries(gateways.map((name) => [name, { address: { is: 'tcp', host: '127.0.0.1', port: 1 }, mode: 0o600 }])),
      names: null,
    },
    credentials: { redis: { user: null, password: null }, sentinels: { user: null, password: null }, tls: null },
    instance: 'test',
    endpointOf: () => ({ is: 'tcp', address: '127.0.0.1', port: 1 }),
    serving: () => [],
  })
  t.after(() => cache.stop())
  return { cache, records, follow: (settings, pushed = []) => cache.follow(dynamicOf(settings, pushed)) }
}

const all = { from: [{ scan: 'k:*' }], require: '100%' }
/** Far too slow to end by itself. */
const slow = { ...all, batch: 1, rate: 1 }

async function isWarming({ cache }: Rig, version: string): Promise<void> {
  await until(
    () => cache.caching?.warming.stateOf(version)?.progress.phase === 'reading',
    () => JSON.stringify(cache.caching?.warming.stateOf(version)),
  )
}

describe('a warm-up under way when the configuration changes', { skip: needs('redis-server') }, () => {
  test('goes on under the new one, and what an upgrade hears is how that ended', async (t) => {
    const rig = await setUp(t)
    rig.follow({ warm: slow })
    const warmed = rig.cache.warm('v2')
    await isWarming(rig, 'v2')
    rig.follow({ warm: all })
    const { is } = await warmed
    assert.deepEqual([is, rig.cache.caching?.viewOf('v2')?.keys], ['warm', items])
  })

  test('is none where the cache was taken out', async (t) => {
    const rig = await setUp(t)
    rig.follow({ warm: slow })
    const warmed = rig.cache.warm('v2')
    await isWarming(rig, 'v2')
    rig.follow(null)
    assert.deepEqual(await warmed, { is: 'none' })
  })

  test('leaves no pusher of the old one behind', async (t) => {
    const rig = await setUp(t)
    rig.follow({ warm: slow }, ['v2'])
    const before = rig.cache.caching
    assert.ok(before)
    rig.follow({ warm: all }, ['v2'])
    assert.deepEqual([await before.pushing.synced('v2', 60_000), before.pushing.progressOf('v2')], [false, null])
  })
})

describe('a version that is pushed to', { skip: needs('redis-server') }, () => {
  test('comes and goes, and the others keep what they hold', async (t) => {
    const rig = await setUp(t, { gateways: ['v1'] })
    const { cache } = rig
    rig.follow({ warm: all })
    assert.equal((await cache.warm('v1')).is, 'warm')
    rig.follow({ warm: all }, ['v3'])
    const view = cache.caching?.viewOf('v3')
    assert.deepEqual([cache.caching?.viewOf('v1')?.keys, view?.keys], [items, 0])
    await until(
      () => cache.caching?.pushing.progressOf('v3') !== null,
      () => 'nothing is pushed to v3',
    )
    assert.equal((await cache.caching?.warming.warm('v3'))?.ended, 'all-named')
    assert.equal(view?.keys, items)
    rig.follow({ warm: all })
    assert.deepEqual([cache.caching?.viewOf('v1')?.keys, cache.caching?.viewOf('v3')], [items, null])
    await until(
      () => cache.caching?.pushing.progressOf('v3') === null,
      () => 'v3 is pushed to',
    )
    rig.follow({ warm: all }, ['v3'])
    assert.deepEqual([cache.caching?.viewOf('v3')?.keys, cache.caching?.warming.stateOf('v3')], [0, null])
  })

  test('is warmed anew where it came back during its warm-up', async (t) => {
    const rig = await setUp(t, { gateways: ['v1'] })
    rig.follow({ warm: slow }, ['v3'])
    void rig.cache.caching?.warming.warm('v3')
    await isWarming(rig, 'v3')
    rig.follow({ warm: slow })
    rig.follow({ warm: slow }, ['v3'])
    void rig.cache.caching?.warming.warm('v3')
    await until(
      () => (rig.cache.caching?.viewOf('v3')?.keys ?? 0) > 0,
      () => 'the view that is there is not warmed',
    )
  })
})

describe('a Redis that cannot be a source', { skip: needs('redis-server') }, () => {
  for (const [require, is] of [
    [undefined, 'short'],
    ['90%', 'refused'],
  ] as const) {
    test(`holds no upgrade up until the deadline: what is warm is ${is} at once, and why is said`, async (t) => {
      const rig = await setUp(t, { conf: ['cluster-enabled yes'] })
      rig.follow({ warm: { from: [{ scan: 'k:*' }], deadline: '10m', ...(require === undefined ? {} : { require }) } })
      await until(
        () => rig.cache.caching?.tracker.isUnsuitable === true,
        () => String(rig.cache.caching?.tracker.whyNot),
      )
      const warmed = await rig.cache.warm('v2')
      assert.equal(warmed.is, is)
      assert.match('detail' in warmed ? warmed.detail : '', /v2 has no cache: .* cluster node/)
    })
  }
})
