/** Redis away, slow, full, behind TLS and users: what an app sees of it through a gateway is what it would see without one. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createAuthority } from '../kit/authority.ts'
import { type Baton, startBaton } from '../kit/baton.ts'
import { startFaultProxy } from '../kit/fault-proxy.ts'
import { freePort } from '../kit/free-ports.ts'
import { logged, metric } from '../kit/observed.ts'
import { needs } from '../kit/packages.ts'
import { type RedisOptions, startRedis } from '../kit/redis.ts'
import { type Client, redisClient } from '../kit/redis-client.ts'
import { send } from '../kit/send.ts'
import { startTestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

interface Served {
  readonly baton: Baton
  /** A client of v1's gateway. */
  readonly app: Client
}

/** A baton whose Redis is there, at `redis` of its bootstrap half. */
async function serve(
  t: TestContext,
  redis: Readonly<Record<string, unknown>>,
  client: Readonly<Record<string, unknown>> = {},
): Promise<Served> {
  const app = await startTestApp('v1')
  t.after(() => app[Symbol.asyncDispose]())
  const port = await freePort()
  const config = {
    bootstrap: { redis: { ...redis, gateways: { v1: { address: `127.0.0.1:${port}` } } } },
    versions: { v1: { url: app.url } },
    stable: 'v1',
    cache: { prefixes: ['k:'] },
  }
  const baton = await startBaton({ config })
  t.after(() => baton[Symbol.asyncDispose]())
  const served = redisClient(port, client)
  t.after(() => served.disconnect())
  return { baton, app: served }
}

async function redisFor(t: TestContext, options: RedisOptions = {}) {
  const redis = await startRedis(options)
  t.after(() => redis[Symbol.asyncDispose]())
  return redis
}

async function untilLive(baton: Baton, isLive = true): Promise<void> {
  await until(
    async () => (await metric(baton, 'baton_cache_live')) === Number(isLive),
    () => `the cache is not ${isLive ? '' : 'un'}live; ${baton.output().slice(-2_000)}`,
  )
}

/** Until it is answered from the cache. */
async function untilHit(baton: Baton, app: Client, key: string, value: string): Promise<void> {
  const before = await metric(baton, 'baton_cache_hits_total', { version: 'v1' })
  await until(
    async () => {
      assert.equal(await app.get(key), value)
      return (await metric(baton, 'baton_cache_hits_total', { version: 'v1' })) > before
    },
    () => `no hit; ${baton.output().slice(-2_000)}`,
  )
}

describe('a Redis that fails', { skip: needs('redis-server') }, () => {
  test('dead at the start: baton serves, and the cache begins when Redis is there', async (t) => {
    const port = await freePort()
    const { baton, app } = await serve(t, { url: `redis://127.0.0.1:${port}` })
    await baton.ready()
    assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
    await assert.rejects(app.get('k:1'), 'as with a Redis that refuses')
    assert.equal(await metric(baton, 'baton_cache_live'), 0)
    await redisFor(t, { port })
    await untilLive(baton)
    await app.set('k:1', 'one')
    await untilHit(baton, app, 'k:1', 'one')
  })

  test('killed and started again: nothing old is answered, and what was in use is kept again', async (t) => {
    const redis = await redisFor(t)
    const { baton, app } = await serve(t, { url: redis.url })
    await untilLive(baton)
    await app.set('k:1', 'before')
    await untilHit(baton, app, 'k:1', 'before')
    await redis.stop('SIGKILL')
    await untilLive(baton, false)
    await assert.rejects(app.get('k:1'), 'a cache that answered would hide that writes fail')
    await redis.start()
    await until(
      async () => (await app.get('k:1').catch(() => 'not yet')) === null,
      () => 'its data are gone, and the cache says otherwise',
    )
    await untilLive(baton)
    await app.set('k:1', 'after')
    await untilHit(baton, app, 'k:1', 'after')
    assert.equal(await metric(baton, 'baton_cache_losses_total'), 1)
  })

  test('silent, half open: within its staleness nothing is answered from the cache any more, and it comes back by itself', async (t) => {
    const redis = await redisFor(t)
    const proxy = await startFaultProxy(redis.port)
    t.after(() => proxy[Symbol.asyncDispose]())
    const { baton, app } = await serve(t, { url: `redis://127.0.0.1:${proxy.port}` }, { commandTimeout: 300 })
    await untilLive(baton)
    await app.set('k:1', 'one')
    await untilHit(baton, app, 'k:1', 'one')
    proxy.weather = { is: 'black-hole' }
    assert.equal(await redis.say('SET k:1 two'), '+OK')
    await untilLive(baton, false)
    await assert.rejects(app.get('k:1'), /timed out/i, 'as a silent Redis would')
    proxy.weather = { is: 'fair' }
    proxy.reset()
    await untilLive(baton)
    await until(
      async () => (await app.get('k:1').catch(() => null)) === 'two',
      () => 'the write of meanwhile is not seen',
    )
  })

  test('full: the error is the app’s to see, and reads go on', async (t) => {
    const redis = await redisFor(t)
    const { baton, app } = await serve(t, { url: redis.url })
    await untilLive(baton)
    await app.set('k:1', 'one')
    await redis.say('CONFIG SET maxmemory 1')
    await assert.rejects(app.set('k:1', 'two'), /^ReplyError: OOM/)
    assert.equal(await app.get('k:1'), 'one')
    await redis.say('CONFIG SET maxmemory 0')
    await app.set('k:1', 'three')
    await untilHit(baton, app, 'k:1', 'three')
  })

  test('a cluster is passed through uncached, and that is said', async (t) => {
    const redis = await redisFor(t, { conf: ['cluster-enabled yes'] })
    assert.equal(await redis.say('CLUSTER ADDSLOTSRANGE 0 16383'), '+OK')
    const { baton, app } = await serve(t, { url: redis.url })
    await until(
      async () => (await app.set('k:1', 'one').catch(() => null)) === 'OK',
      () => 'the cluster is not up',
    )
    assert.equal(await app.get('k:1'), 'one')
    await until(
      () => logged(baton, 'cache.unavailable').some(({ reason }) => /cluster node/.test(String(reason))),
      () => baton.output(),
    )
    assert.equal(await metric(baton, 'baton_cache_live'), 0)
  })

  test('TLS with certificates on both sides: the app speaks plain to its gateway', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'baton-redis-tls-'))
    t.after(() => rmSync(dir, { recursive: true, force: true }))
    const authority = createAuthority(dir)
    const server = authority.issue('redis')
    const own = authority.issue('baton')
    const tlsPort = await freePort()
    const files = [`tls-cert-file ${server.cert}`, `tls-key-file ${server.key}`, `tls-ca-cert-file ${authority.ca}`]
    await redisFor(t, { conf: [`tls-port ${tlsPort}`, ...files] })
    const tls = { ca: authority.ca, cert: own.cert, key: own.key }
    const { baton, app } = await serve(t, { url: `rediss://127.0.0.1:${tlsPort}`, tls })
    await untilLive(baton)
    await app.set('k:1', 'one')
    await untilHit(baton, app, 'k:1', 'one')
  })

  test('a Unix socket on both sides', async (t) => {
    const redis = await redisFor(t)
    const dir = mkdtempSync(join(tmpdir(), 'baton-redis-unix-'))
    t.after(() => rmSync(dir, { recursive: true, force: true }))
    const path = join(dir, 'v1.sock')
    const app = await startTestApp('v1')
    t.after(() => app[Symbol.asyncDispose]())
    const redisHalf = { url: `unix://${join(redis.folder, 'redis.sock')}`, gateways: { v1: { address: `unix:${path}` } } }
    const baton = await startBaton({
      config: { bootstrap: { redis: redisHalf }, versions: { v1: { url: app.url } }, stable: 'v1', cache: { prefixes: ['k:'] } },
    })
    t.after(() => baton[Symbol.asyncDispose]())
    const client = redisClient(path)
    t.after(() => client.disconnect())
    await untilLive(baton)
    await client.set('k:1', 'one')
    await untilHit(baton, client, 'k:1', 'one')
  })

  test('users: the source’s own has hits, another one’s rights are Redis’s to judge, and nobody is let in without a password', async (t) => {
    const conf = ['user default off', 'user shop on >sesame ~* &* +@all', 'user guest on >guess ~other:* &* +@all']
    const redis = await redisFor(t, { conf })
    const dir = redis.folder
    const passwordFile = join(dir, 'password')
    writeFileSync(passwordFile, 'sesame\n', { mode: 0o600 })
    const { baton, app } = await serve(t, { url: redis.url, user: 'shop', passwordFile }, { username: 'shop', password: 'sesame' })
    await untilLive(baton)
    await app.set('k:1', 'one')
    await untilHit(baton, app, 'k:1', 'one')
    const guest = app.duplicate({ username: 'guest', password: 'guess' })
    t.after(() => guest.disconnect())
    await assert.rejects(guest.get('k:1'), /NOPERM/)
    const nobody = app.duplicate({ username: '', password: '' })
    nobody.on('error', () => {})
    t.after(() => nobody.disconnect())
    await assert.rejects(nobody.get('k:1'), /NOAUTH/)
    assert.ok(!baton.output().includes('sesame'))
  })
})
