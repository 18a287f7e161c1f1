/** Much of everything: long values, long pipelines, sides that do not read, and ends in the middle. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { type CachedRedis, startCachedRedis } from '../../kit/cached-redis.ts'
import { startFaultProxy } from '../../kit/fault-proxy.ts'
import { needs } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { encode, RespClient } from '../../kit/resp-client.ts'
import { standsStill, until } from '../../kit/turns.ts'
import { exchange, hits, hold, open } from './twin.ts'

const megabyte = 1_048_576

describe('through the gateway', { skip: needs('redis-server') }, () => {
  let redis: Redis
  let cached: CachedRedis

  before(async () => {
    redis = await startRedis()
    cached = await startCachedRedis({ sourcePort: redis.port })
  })

  after(async () => {
    await cached[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  test('a value of 100 MB goes both ways, and is never held whole', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    const value = Buffer.alloc(100 * megabyte, 'x')
    const before = process.memoryUsage.rss()
    // the client here holds it: once to send it, and twice to put it together
    assert.equal(await client.call('SET', 'huge', value), 'OK')
    assert.equal(await client.call('STRLEN', 'huge'), value.length)
    const raw = await open(cached.ports.v1)
    let length = 0
    raw.socket.removeAllListeners('data')
    raw.socket.on('data', (chunk: Buffer) => (length += chunk.length))
    raw.send(encode(['GET', 'huge']))
    await until(
      () => length >= value.length + 14,
      () => `all came: ${length}`,
    )
    raw.destroy()
    assert.ok(process.memoryUsage.rss() - before < 250 * megabyte, `grew by ${(process.memoryUsage.rss() - before) / megabyte} MB`)
    await client.call('DEL', 'huge')
  })

  test('a client that never reads makes nothing grow, and nobody else wait', async () => {
    using other = await RespClient.connect(cached.ports.v1)
    await other.call('SET', 'big', Buffer.alloc(60_000, 'x'))
    await hold(cached, 'big')
    const raw = await open(cached.ports.v1)
    raw.socket.pause()
    const before = process.memoryUsage.rss()
    // local hits and passed reads: 180 MB of replies
    raw.send(Buffer.concat(Array.from({ length: 3_000 }, (_, at) => encode(at % 2 === 0 ? ['GET', 'big'] : ['GETRANGE', 'big', 0, -1]))))
    await standsStill(() => hits(cached) + cached.reads.v1.counts.passed)
    assert.equal(await other.call('PING'), 'PONG')
    assert.ok(process.memoryUsage.rss() - before < 100 * megabyte, `grew by ${(process.memoryUsage.rss() - before) / megabyte} MB`)
    raw.destroy()
  })

  test('a client that sends all of a long pipeline before it reads gets all replies', async () => {
    const word = Buffer.alloc(500, 'x')
    const bytes = Buffer.concat(Array.from({ length: 100_000 }, () => encode(['ECHO', word])))
    const replies = 100_000 * 508
    for (const port of [redis.port, cached.ports.v1]) {
      // as redis-py sends a pipeline
      const raw = await open(port)
      raw.socket.removeAllListeners('data')
      raw.socket.pause()
      await new Promise<void>((done) => raw.socket.write(bytes, () => done()))
      let length = 0
      raw.socket.on('data', (chunk: Buffer) => (length += chunk.length))
      raw.socket.resume()
      await until(
        () => length >= replies,
        () => `all came: ${length} of ${replies}`,
      )
      raw.destroy()
    }
  })

  test('replies to a pipeline of everything come in order', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    await client.pipeline([
      ['MSET', 'a', 'A', 'b', 'B'],
      ['DEL', 'list'],
    ])
    await hold(cached, 'a')
    const commands = Array.from({ length: 20_000 }, (_, at) => {
      switch (at % 5) {
        case 0:
          return ['GET', 'a']
        case 1:
          return ['ECHO', String(at)]
        case 2:
          return ['GET', 'b']
        case 3:
          return ['SET', 'c', String(at)]
        default:
          return ['GET', 'c']
      }
    })
    const replies = await client.pipeline(commands)
    for (const [at, reply] of replies.entries()) {
      const expected = ['A', String(at), 'B', 'OK', String(at - 1)][at % 5]
      assert.equal(reply, expected, `reply ${at}`)
    }
  })

  test('commands that were sent before the end of a half-closed connection are all answered', async () => {
    // more than are under way at once, in one piece, and the end right behind it
    const count = 10_000
    const raw = await open(cached.ports.v1)
    raw.send('PING\r\n'.repeat(count))
    raw.end()
    await until(
      () => raw.ending !== 'open',
      () => `the other side ended; ${raw.received.length / 7} replies`,
    )
    assert.equal(raw.received.length / 7, count)
  })

  test('bytes one by one are the same commands', async () => {
    const bytes = Buffer.concat([encode(['SET', 'k', 'v']), encode(['GET', 'k']), Buffer.from('get k\r\n'), encode(['HGETALL', 'k'])])
    const raw = await open(cached.ports.v1)
    for (const byte of bytes) {
      raw.send(Buffer.of(byte))
      await new Promise((done) => setImmediate(done))
    }
    const whole = await exchange(cached.ports.v1, bytes)
    await until(
      () => raw.received.length === whole.length,
      () => `all came: ${raw.received}`,
    )
    assert.equal(raw.received.toString(), whole)
    raw.destroy()
  })

  for (const [what, bytes] of [
    ['an invalid bulk length', '*2\r\n$3\r\nGET\r\n$x\r\n'],
    ['no bulk where one must be', '*2\r\n$3\r\nGET\r\n:1\r\n'],
    ['too many words', '*3000000000\r\n'],
    ['quotes that do not end', 'GET "k\r\n'],
    ['a bulk that is too long', '*1\r\n$600000000\r\n'],
  ] as const)
    test(`${what} is answered as Redis does, behind what was asked before, and is the end`, async () => {
      const before = 'SET k v\r\nGET k\r\nPING\r\n'
      const [direct, through] = await Promise.all([redis.port, cached.ports.v1].map((port) => exchange(port, `${before}${bytes}`, '')))
      assert.equal(through, direct)
    })

  test('nothing, empty lines and empty commands are no commands', async () => {
    const bytes = '\r\n\r\n*0\r\n*-1\r\n\r\nPING\r\n'
    assert.equal(await exchange(cached.ports.v1, bytes), await exchange(redis.port, bytes))
  })
})

describe('a connection to Redis that is lost', { skip: needs('redis-server') }, () => {
  test('with a write under way ends the client, whose key is read from Redis then', async () => {
    await using redis = await startRedis()
    await using proxy = await startFaultProxy(redis.port)
    await using cached = await startCachedRedis({ sourcePort: redis.port, clientPort: proxy.port })
    using reader = await RespClient.connect(cached.ports.v2)
    await reader.call('SET', 'k', 'old')
    const writer = await RespClient.connect(cached.ports.v1)
    await writer.call('PING')
    await hold(cached, 'k', 'any', 'v2')
    // it comes to Redis, and the reply does not come back
    proxy.weather = { is: 'slow', ms: 200 }
    const lost = assert.rejects(writer.call('SET', 'k', 'new'), /closed/)
    using direct = await RespClient.connect(redis.port)
    while ((await direct.call('GET', 'k')) !== 'new');
    proxy.reset()
    await lost
    proxy.weather = { is: 'fair' }
    using next = await RespClient.connect(cached.ports.v2)
    assert.equal(await next.call('GET', 'k'), 'new')
  })

  test('is the end of a client, and of nobody else', async () => {
    await using redis = await startRedis()
    await using cached = await startCachedRedis({ sourcePort: redis.port })
    const one = await open(cached.ports.v1)
    using other = await RespClient.connect(cached.ports.v1)
    one.send(encode(['CLIENT', 'ID']))
    await until(
      () => one.received.length > 0,
      () => 'the id came',
    )
    const id = one.received.toString().slice(1, -2)
    assert.equal(await other.call('CLIENT', 'KILL', 'ID', id), 1)
    if (one.ending === 'open') await once(one.socket, 'close')
    assert.equal(await other.call('PING'), 'PONG')
    await until(
      () => cached.gateways.v1.clients === 1,
      () => `one client is left: ${cached.gateways.v1.clients}`,
    )
  })

  test('at once, as there is no Redis, is the end of the client', async () => {
    await using redis = await startRedis()
    await using cached = await startCachedRedis({ sourcePort: redis.port })
    await redis.stop()
    const raw = await open(cached.ports.v1)
    raw.send('PING\r\n')
    if (raw.ending === 'open') await once(raw.socket, 'close')
    assert.equal(raw.received.length, 0)
  })
})
