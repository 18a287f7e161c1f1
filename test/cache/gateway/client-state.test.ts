/** A read is answered from the view only on a connection that would read the same in Redis: the database, the user, no transaction. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type CachedRedis, startCachedRedis } from '../../kit/cached-redis.ts'
import { needs } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { RespClient, RespError } from '../../kit/resp-client.ts'
import { hits, hold } from './twin.ts'

describe('a connection', { skip: needs('redis-server') }, () => {
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

  const connect = (protocol: 2 | 3 = 2) => RespClient.connect(cached.ports.v1, protocol)

  test('reads in the database that it selected, and locally again when it is back', async () => {
    using client = await connect()
    await client.pipeline([
      ['SET', 'k', 'zero'],
      ['SELECT', 1],
      ['SET', 'k', 'one'],
    ])
    await hold(cached, 'k')
    const before = hits(cached)
    assert.equal(await client.call('GET', 'k'), 'one')
    assert.equal(hits(cached), before)
    assert.deepEqual(
      await client.pipeline([
        ['SELECT', 0],
        ['GET', 'k'],
      ]),
      ['OK', 'zero'],
    )
    assert.equal(await client.call('GET', 'k'), 'zero')
    assert.equal(hits(cached), before + 1)
  })

  test('stays in its database when a SELECT is refused', async () => {
    using client = await connect()
    await client.call('SET', 'k', 'zero')
    await hold(cached, 'k')
    assert.ok((await client.call('SELECT', 9_999)) instanceof RespError)
    const before = hits(cached)
    assert.equal(await client.call('GET', 'k'), 'zero')
    assert.equal(hits(cached), before + 1)
  })

  test('stays in its database when a transaction that selects another one is discarded', async () => {
    using client = await connect()
    await client.pipeline([
      ['SET', 'k', 'zero'],
      ['SELECT', 1],
      ['SET', 'k', 'one'],
    ])
    await hold(cached, 'k')
    await client.pipeline([['MULTI'], ['SELECT', 0], ['DISCARD']])
    assert.equal(await client.call('GET', 'k'), 'one')
  })

  test('stays in its database when a transaction that selects another one fails', async () => {
    using client = await connect()
    using other = await connect()
    await client.pipeline([
      ['SET', 'k', 'zero'],
      ['SELECT', 1],
      ['SET', 'k', 'one'],
      ['WATCH', 'watched'],
    ])
    await other.pipeline([
      ['SELECT', 1],
      ['SET', 'watched', 1],
    ])
    await hold(cached, 'k')
    assert.deepEqual(await client.pipeline([['MULTI'], ['SELECT', 0], ['EXEC']]), ['OK', 'QUEUED', null])
    assert.equal(await client.call('GET', 'k'), 'one')
  })

  test('is in the database that a transaction selected', async () => {
    using client = await connect()
    await client.pipeline([
      ['SET', 'k', 'zero'],
      ['SELECT', 1],
      ['SET', 'k', 'one'],
      ['SELECT', 0],
    ])
    await hold(cached, 'k')
    await client.pipeline([['MULTI'], ['SELECT', 1], ['EXEC']])
    assert.equal(await client.call('GET', 'k'), 'one')
  })

  test('has its reads queued in a transaction, and reads locally after it', async () => {
    using client = await connect()
    await client.call('SET', 'k', 'v')
    await hold(cached, 'k')
    const before = hits(cached)
    assert.deepEqual(await client.pipeline([['MULTI'], ['GET', 'k'], ['EXEC']]), ['OK', 'QUEUED', ['v']])
    await client.call('MULTI')
    assert.equal(await client.call('GET', 'k'), 'QUEUED')
    await client.call('DISCARD')
    assert.equal(hits(cached), before)
    assert.equal(await client.call('GET', 'k'), 'v')
    assert.equal(hits(cached), before + 1)
  })

  test('has its reads queued still after a DISCARD that Redis refused', async () => {
    using client = await connect()
    await client.call('SET', 'k', 'v')
    await hold(cached, 'k')
    await client.call('MULTI')
    assert.ok((await client.call('DISCARD', 'what?')) instanceof RespError)
    assert.equal(await client.call('GET', 'k'), 'QUEUED')
    assert.ok((await client.call('EXEC')) instanceof RespError)
    const before = hits(cached)
    assert.equal(await client.call('GET', 'k'), 'v')
    assert.equal(hits(cached), before + 1)
  })

  test('reads in Redis while it watches a key, until EXEC, DISCARD or UNWATCH', async () => {
    using client = await connect()
    await client.call('SET', 'k', 'v')
    await hold(cached, 'k')
    for (const end of [[['UNWATCH']], [['MULTI'], ['EXEC']], [['MULTI'], ['DISCARD']]]) {
      const before = hits(cached)
      await client.call('WATCH', 'k')
      assert.equal(await client.call('GET', 'k'), 'v')
      assert.equal(hits(cached), before)
      await client.pipeline(end)
      assert.equal(await client.call('GET', 'k'), 'v')
      assert.equal(hits(cached), before + 1)
    }
  })

  test('is answered in the protocol that it speaks, from the reply to HELLO on', async () => {
    using client = await connect()
    await client.call('DEL', 'none')
    await hold(cached, 'none')
    const before = hits(cached)
    const lines: string[] = []
    client.socket.on('data', (chunk: Buffer) => lines.push(chunk.toString()))
    await client.call('GET', 'none')
    assert.equal(lines.at(-1), '$-1\r\n')
    await client.call('HELLO', 3)
    await client.call('GET', 'none')
    assert.equal(lines.at(-1), '_\r\n')
    assert.ok((await client.call('HELLO', 4)) instanceof RespError)
    await client.call('GET', 'none')
    assert.equal(lines.at(-1), '_\r\n')
    await client.call('RESET')
    await client.call('GET', 'none')
    assert.equal(lines.at(-1), '$-1\r\n')
    assert.equal(hits(cached), before + 3)
  })

  test('sees a write that goes before the read in its pipeline', async () => {
    using client = await connect()
    for (let round = 0; round < 50; round++) {
      await hold(cached, 'k')
      assert.deepEqual(
        await client.pipeline([
          ['SET', 'k', round],
          ['GET', 'k'],
        ]),
        ['OK', String(round)],
      )
    }
  })

  test('gets local answers and others in the order of its commands', async () => {
    using client = await connect(3)
    await client.pipeline([['MSET', 'held', 'h', 'other', 'o']])
    await hold(cached, 'held')
    cached.views.v1.drop('other')
    const before = hits(cached)
    assert.deepEqual(await client.pipeline([['GET', 'held'], ['GET', 'other'], ['GET', 'held'], ['PING'], ['GET', 'held']]), [
      'h',
      'o',
      'h',
      'PONG',
      'h',
    ])
    assert.equal(hits(cached), before + 3)
  })

  test('of RESP3 gets an UNSUBSCRIBE, which is answered by a push, and what follows it', async () => {
    using client = await connect(3)
    await client.call('SET', 'k', 'v')
    await hold(cached, 'k')
    client.write('UNSUBSCRIBE')
    assert.equal(await client.call('PING'), 'PONG')
    assert.equal(await client.call('GET', 'k'), 'v')
    assert.deepEqual(client.pushes, [['unsubscribe', null, 0]])
  })

  test('of RESP2 gets an UNSUBSCRIBE of several, which is answered by several, and what follows it', async () => {
    using client = await connect()
    await client.call('SET', 'k', 'v')
    await hold(cached, 'k')
    const pushed = new Promise<void>((done) => (client.onPush = () => client.pushes.length === 2 && done()))
    assert.deepEqual(await client.call('UNSUBSCRIBE', 'a', 'b', 'c'), ['unsubscribe', 'a', 0])
    await pushed
    assert.deepEqual(
      await client.pipeline([
        ['ECHO', 'x'],
        ['GET', 'k'],
        ['ECHO', 'y'],
        ['GET', 'k'],
      ]),
      ['x', 'v', 'y', 'v'],
    )
  })
})
