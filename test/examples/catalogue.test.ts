import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startExampleApp } from '../kit/example-app.ts'
import { freePort } from '../kit/free-ports.ts'
import { needs } from '../kit/packages.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { until } from '../kit/until.ts'

interface Answer {
  readonly version: string
  readonly from: string
  readonly lookupMs: number
  readonly item: { readonly name: string; readonly price: number; readonly writtenBy: string | null } | null
}

async function redisFor(t: TestContext): Promise<Redis> {
  const redis = await startRedis()
  t.after(() => redis[Symbol.asyncDispose]())
  return redis
}

/** Once it has reached its Redis and filled it. */
async function startWith(t: TestContext, redis: Redis, version = 'v1'): Promise<string> {
  const app = await startExampleApp(t, { APP_VERSION: version, REDIS_URL: redis.url })
  await until(
    async () => (await fetch(`${app.url}/catalogue/1000`)).status === 200,
    () => 'no item 1000',
  )
  return app.url
}

const lookUp = async (url: string) => (await (await fetch(url)).json()) as Answer

describe('the catalogue of the example app', { skip: needs('redis-server') }, () => {
  test('an empty Redis is filled, and an item tells who was asked and how long it took', async (t) => {
    const redis = await redisFor(t)
    const url = await startWith(t, redis)
    assert.equal(await redis.say('DBSIZE'), ':1000')
    const answer = await fetch(`${url}/catalogue/7`)
    const { version, from, lookupMs, item } = (await answer.json()) as Answer
    assert.deepEqual([version, from, item?.name], ['v1', `redis at 127.0.0.1:${redis.port}`, 'Item 7'])
    assert.equal(answer.headers.get('x-lookup-ms'), String(lookupMs))
    assert.ok(lookupMs > 0)
  })

  test('what is there already stays as it is', async (t) => {
    const redis = await redisFor(t)
    await redis.say('SET catalogue:1 17')
    const app = await startExampleApp(t, { REDIS_URL: redis.url })
    const page = await fetch(`${app.url}/catalogue`)
    assert.equal(((await page.json()) as { items: number }).items, 1)
    assert.equal(await redis.say('DBSIZE'), ':1')
  })

  test('one version sees what the other has written', async (t) => {
    const redis = await redisFor(t)
    const [v1, v2] = [await startWith(t, redis), await startWith(t, redis, 'v2')]
    const put = await fetch(`${v1}/catalogue/lamp`, { method: 'PUT', body: '{"name": "Lamp", "price": 12}' })
    assert.equal(put.status, 200)
    const { version, item } = await lookUp(`${v2}/catalogue/lamp`)
    assert.deepEqual([version, item], ['v2', { id: 'lamp', name: 'Lamp', price: 12, writtenBy: 'v1' }])
  })

  test('all of it is looked up one after the other, with how long that took', async (t) => {
    const redis = await redisFor(t)
    const url = await startWith(t, redis)
    const answer = await fetch(`${url}/catalogue`)
    const { items, from, lookupMs } = (await answer.json()) as { items: number; from: object; lookupMs: Record<string, number> }
    assert.deepEqual([items, from], [1_000, { [`redis at 127.0.0.1:${redis.port}`]: 1_000 }])
    assert.ok((lookupMs.p50 ?? 0) > 0 && (lookupMs.p50 ?? 0) <= (lookupMs.p99 ?? 0) && (lookupMs.p99 ?? 0) <= (lookupMs.max ?? 0))
    assert.ok(Number(answer.headers.get('x-lookup-ms')) >= (lookupMs.max ?? 0))
  })

  test('an item that is not there is 404, and what is no item 400', async (t) => {
    const url = await startWith(t, await redisFor(t))
    const nobody = await fetch(`${url}/catalogue/nobody`)
    assert.deepEqual([nobody.status, ((await nobody.json()) as Answer).item], [404, null])
    assert.equal((await fetch(`${url}/catalogue/a%20b`)).status, 404)
    const put = (path: string, body: string) => fetch(`${url}/catalogue/${path}`, { method: 'PUT', body })
    for (const body of ['', 'Lamp', '{"name": "Lamp"}', '{"name": 1, "price": 1}']) assert.equal((await put('1', body)).status, 400)
    assert.equal((await put('a%20b', '{"name": "Lamp", "price": 12}')).status, 400)
    assert.equal((await put('1', JSON.stringify({ name: 'x'.repeat(5_000), price: 1 }))).status, 413)
    const posted = await fetch(`${url}/catalogue/1`, { method: 'POST' })
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, PUT'])
  })

  test('without a Redis that answers it is 503, the other pages stay, and it is back when Redis is', async (t) => {
    const redis = await redisFor(t)
    const url = await startWith(t, redis)
    await redis.stop()
    assert.equal((await fetch(`${url}/catalogue/1`)).status, 503)
    assert.equal((await fetch(`${url}/api/hello`)).status, 200)
    await redis.start()
    await until(
      async () => (await fetch(`${url}/catalogue/1`)).status === 200,
      () => 'it does not come back',
    )
  })

  test('with CACHE=push and nobody that pushes, everything comes from Redis', async (t) => {
    const redis = await redisFor(t)
    const app = await startExampleApp(t, { REDIS_URL: redis.url, CACHE: 'push' })
    await until(
      async () => (await fetch(`${app.url}/catalogue/1000`)).status === 200,
      () => 'no item 1000',
    )
    const put = await fetch(`${app.url}/catalogue/7`, { method: 'PUT', body: '{"name": "Lamp", "price": 12}' })
    assert.equal(put.status, 200)
    for (let count = 0; count < 3; count += 1) {
      const { from, item } = await lookUp(`${app.url}/catalogue/7`)
      assert.deepEqual([from, item?.name], [`redis at 127.0.0.1:${redis.port}`, 'Lamp'])
    }
  })

  test('it starts and stops where nobody answers at REDIS_URL', async (t) => {
    const app = await startExampleApp(t, { REDIS_URL: `redis://127.0.0.1:${await freePort()}` })
    assert.equal((await fetch(`${app.url}/healthz`)).status, 200)
    app.child.kill('SIGTERM')
    assert.equal(await app.ended, 0)
  })
})

test('a CACHE that the example app does not know is one line and exit code 2', () => {
  const file = fileURLToPath(new URL('../../examples/app/app.ts', import.meta.url))
  const run = spawnSync(process.execPath, [file], { env: { ...process.env, PORT: '0', CACHE: 'pull' }, encoding: 'utf8' })
  assert.deepEqual([run.status, run.stderr], [2, 'CACHE: found "pull", expected push or nothing\n'])
})

test('without REDIS_URL the example app says that it has no catalogue', async (t) => {
  const app = await startExampleApp(t, { REDIS_URL: '' })
  for (const path of ['/catalogue', '/catalogue/1']) {
    const answer = await fetch(`${app.url}${path}`)
    assert.equal(answer.status, 404)
    assert.match(await answer.text(), /without REDIS_URL/)
  }
})
