/** A failover by real sentinels: what is cached is the new master's, and clients of a gateway come to it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBaton } from '../kit/baton.ts'
import { freePort } from '../kit/free-ports.ts'
import { logged, metric } from '../kit/observed.ts'
import { needs } from '../kit/packages.ts'
import { startRedis } from '../kit/redis.ts'
import { redisClient } from '../kit/redis-client.ts'
import { startTestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

test('a forced failover: no value of the old master is answered after a write to the new one', {
  skip: needs('redis-server'),
}, async (t) => {
  const one = await startRedis()
  t.after(() => one[Symbol.asyncDispose]())
  const two = await startRedis({ conf: [`replicaof 127.0.0.1 ${one.port}`] })
  t.after(() => two[Symbol.asyncDispose]())
  const watch = [`sentinel monitor shop 127.0.0.1 ${one.port} 1`, 'sentinel down-after-milliseconds shop 1000']
  const sentinel = await startRedis({ sentinel: true, conf: watch })
  t.after(() => sentinel[Symbol.asyncDispose]())
  const app = await startTestApp('v1')
  t.after(() => app[Symbol.asyncDispose]())
  const port = await freePort()
  const sentinels = { master: 'shop', addresses: [`127.0.0.1:${sentinel.port}`] }
  const baton = await startBaton({
    config: {
      bootstrap: { redis: { sentinels, gateways: { v1: { address: `127.0.0.1:${port}` } } } },
      versions: { v1: { url: app.url } },
      stable: 'v1',
      cache: { prefixes: ['k:'] },
    },
  })
  t.after(() => baton[Symbol.asyncDispose]())
  const client = redisClient(port)
  t.after(() => client.disconnect())
  const isLiveAt = (address: string) => logged(baton, 'cache.live').some(({ redis }) => redis === address)
  await until(
    () => isLiveAt(`127.0.0.1:${one.port}`),
    () => baton.output(),
  )
  await client.set('k:1', 'first')
  await until(
    async () => (await client.get('k:1')) === 'first' && (await metric(baton, 'baton_cache_hits_total', { version: 'v1' })) > 0,
    () => `no hit; ${baton.output()}`,
  )
  await until(
    async () => (await sentinel.say('SENTINEL replicas shop')) === '*1',
    () => 'the sentinel knows no replica',
  )
  await until(
    async () => (await sentinel.say('SENTINEL failover shop')) === '+OK',
    () => 'no failover',
  )
  await until(
    () => isLiveAt(`127.0.0.1:${two.port}`),
    () => baton.output(),
    60_000,
  )
  assert.equal(await two.say('SET k:1 second'), '+OK')
  await until(
    async () => (await client.get('k:1').catch(() => null)) === 'second',
    () => `the new master's write is not seen; ${baton.output()}`,
  )
  await client.set('k:1', 'third')
  assert.equal(await client.get('k:1'), 'third')
  const direct = redisClient(two.port)
  t.after(() => direct.disconnect())
  assert.equal(await direct.get('k:1'), 'third', 'written through the gateway to the new master')
  assert.equal(logged(baton, 'cache.failover').length, 1)
})
