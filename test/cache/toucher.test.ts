/** Keys that are read in a view alone stay in a Redis that makes room by use. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Toucher } from '../../src/cache/toucher.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { realWorld } from '../../src/world.ts'
import { startCachedRedis } from '../kit/cached-redis.ts'
import { needs } from '../kit/packages.ts'
import { startRedis } from '../kit/redis.ts'
import { redisClient } from '../kit/redis-client.ts'

const hot = Array.from({ length: 200 }, (_, at) => `hot:${at}`)
const cold = Array.from({ length: 4_000 }, (_, at) => `cold:${at}`)
const value = 'x'.repeat(1_000)
/** Redis's clock of use has seconds. */
const tickMs = 1_200

/** How many of the hot keys are left after Redis had to make room: they are the oldest that it knows of, and were read here since. */
async function leftAfterPressure(t: TestContext, policy: string): Promise<number> {
  const redis = await startRedis({ conf: [`maxmemory-policy ${policy}`, 'maxmemory-samples 10'] })
  t.after(() => redis[Symbol.asyncDispose]())
  const client = redisClient(redis.port)
  t.after(() => client.disconnect())
  await client.mset(Object.fromEntries(hot.map((key) => [key, value])))
  const cached = await startCachedRedis({ sourcePort: redis.port, prefixes: ['hot:'] })
  t.after(() => cached[Symbol.asyncDispose]())
  const { tracker, views } = cached
  const toucher = new Toucher([views.v1, views.v2], () => tracker.session, createLog(realWorld, 'error', []), realWorld)
  t.after(() => toucher.stop())
  toucher.begin()
  for (const key of hot) assert.equal(await tracker.filled(key, 'string', views.v1), 'kept')
  await sleep(tickMs)
  await client.mset(Object.fromEntries(cold.map((key) => [key, value])))
  await sleep(tickMs)
  for (const key of hot) assert.ok(views.v1.get(key))
  await toucher.touch()
  // what a pressure on memory does: about a quarter of all has to go
  const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
  await client.config('SET', 'maxmemory', String(used - 1_500_000))
  await client.set('one:more', value)
  return await client.exists(...hot)
}

describe('keys that are read in a view alone', { skip: needs('redis-server') }, () => {
  test('are told to a Redis that evicts by use, and stay there', async (t) => {
    assert.ok((await leftAfterPressure(t, 'allkeys-lru')) >= 0.98 * hot.length)
  })

  test('are not told to one that does not: its policy is not touched', async (t) => {
    const left = await leftAfterPressure(t, 'allkeys-random')
    assert.ok(left < 0.95 * hot.length, `${left} are left`)
  })
})
