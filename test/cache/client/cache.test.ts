import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { type Cache, type CacheOptions, createCache } from '../../../src/cache/client/cache.ts'
import { FakeWorld } from '../../kit/fake-world.ts'
import { type Received, send } from '../../kit/send.ts'

interface App {
  readonly cache: Cache
  readonly port: number
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<Received>
  /** Greets, and tells these operations. */
  push(...ops: readonly unknown[]): Promise<void>
}

async function start(t: TestContext, options: CacheOptions = { max: 100 }): Promise<App> {
  const cache = createCache(options)
  const server = createServer((request, response) => {
    if (!cache.handle(request, response)) response.end('the app')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    await once(server.close(), 'close')
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const post = (body: string, headers = {}): Promise<Received> =>
    send({ host: '127.0.0.1', port, method: 'POST', path: '/baton/cache', headers, body: Buffer.from(body) })
  return {
    cache,
    port,
    post,
    async push(...ops) {
      const { instance, epoch } = JSON.parse((await post('')).body)
      const lines = [{ v: 1, instance, epoch, seq: 1, fence: 0, leaseMs: 60_000, ops: ops.length }, ...ops]
      const { body } = await post(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      assert.equal(JSON.parse(body).seq, 1, body)
    },
  }
}

const never = (): Promise<never> => Promise.reject(new Error('it is held'))

describe('an app’s cache', () => {
  test('answers from its map as Redis would, and loads what it does not hold', async (t) => {
    const { cache, push } = await start(t)
    const hash = { op: 'set', key: 'h', hash: [['__proto__', '1']] }
    await push(
      { op: 'set', key: 't', value: 'é' },
      { op: 'set', key: 'b', value: { base64: '/w==' } },
      { op: 'set', key: 'n', absent: true },
      hash,
    )
    assert.equal(await cache.get('t', never), 'é')
    assert.equal(await cache.get(Buffer.from('t'), never), 'é')
    assert.deepEqual(await cache.getBuffer('t', never), Buffer.from('é'))
    assert.deepEqual(await cache.getBuffer('b', never), Buffer.from([255]))
    assert.equal(await cache.get('b', never), '\ufffd')
    assert.equal(await cache.get('n', never), null)
    assert.deepEqual(await cache.hgetall('n', never), {})
    assert.deepEqual(Object.entries(await cache.hgetall('h', never)), [['__proto__', '1']])
    // of another type: Redis says so itself
    assert.equal(await cache.get('h', async () => 'loaded'), 'loaded')
    assert.deepEqual(await cache.hgetall('t', async (key) => ({ key })), { key: 't' })
    assert.equal(await cache.get('other', async () => null), null)
    assert.deepEqual(cache.counts, { hits: 8, misses: 3, batches: 2, keys: 4, live: true })
  })

  test('gives bytes of the caller’s own', async (t) => {
    const { cache, push } = await start(t)
    await push({ op: 'set', key: 'b', value: { base64: '/w==' } })
    ;(await cache.getBuffer('b', never))?.fill(0)
    assert.deepEqual(await cache.getBuffer('b', never), Buffer.from([255]))
  })

  test('does not hold what the app has loaded, and forgets what the app writes, failing or not', async (t) => {
    const { cache, push } = await start(t)
    await push({ op: 'set', key: 'a', value: '1' }, { op: 'set', key: 'b', value: '1' })
    await cache.get('x', async () => 'loaded')
    assert.equal(await cache.get('x', async () => 'again'), 'again')
    assert.equal(await cache.write(['a'], async () => 'OK'), 'OK')
    await assert.rejects(
      cache.write('b', () => Promise.reject(new Error('no'))),
      { message: 'no' },
    )
    for (const key of ['a', 'b']) assert.equal(await cache.get(key, async () => 'loaded'), 'loaded')
  })

  test('keeps to its limit, in keys or in bytes', async (t) => {
    const ops = Array.from({ length: 50 }, (_, at) => ({ op: 'set', key: `k:${at}`, value: 'x'.repeat(1_000) }))
    for (const options of [{ max: 10 }, { maxBytes: 12_000 }]) {
      const { cache, push } = await start(t, options)
      await push(...ops)
      assert.equal(cache.counts.keys, 10)
      assert.equal(await cache.get('k:49', async () => null), 'x'.repeat(1_000))
    }
  })

  test('leaves every other request to the app', async (t) => {
    const { port } = await start(t)
    for (const [method, path] of [
      ['GET', '/baton/cache'],
      ['POST', '/baton/cache/x'],
      ['POST', '/'],
    ] as const)
      assert.equal((await send({ host: '127.0.0.1', port, method, path })).body, 'the app')
  })

  test('takes nothing from a client of a proxy, baton’s own clients included', async (t) => {
    const { post, cache } = await start(t)
    for (const headers of [{ via: '1.1 baton' }, { 'x-forwarded-for': '127.0.0.1' }, { forwarded: 'for=127.0.0.1' }])
      assert.equal((await post('', headers)).status, 403)
    assert.equal(cache.counts.batches, 0)
    const { post: ask } = await start(t, { max: 1, admits: () => false })
    assert.equal((await ask('')).status, 403)
  })

  test('refuses a batch that is too long before it has come', async (t) => {
    const { port, cache } = await start(t)
    const socket = connect(port, '127.0.0.1')
    socket.write(`POST /baton/cache HTTP/1.1\r\nhost: a\r\ncontent-length: 999999999\r\n\r\n${'x'.repeat(1_200_000)}`)
    const [chunk] = await once(socket, 'data')
    assert.match(String(chunk), /^HTTP\/1.1 413 /)
    socket.destroy()
    assert.equal(cache.counts.batches, 0)
  })

  test('does not wait for the rest of a batch for ever', async (t) => {
    const world = new FakeWorld()
    const { port, cache } = await start(t, { max: 1, world })
    const socket = connect(port, '127.0.0.1')
    const closed = once(socket, 'close')
    socket.on('error', () => {})
    socket.write('POST /baton/cache HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\nx')
    await once(socket, 'data') // 100: it is being received
    world.advance(10_000)
    await closed
    assert.equal(cache.counts.batches, 0)
    assert.equal(world.timers, 0)
  })
})
