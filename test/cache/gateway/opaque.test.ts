/** Connections whose replies cannot be counted: bytes pass both ways as they are, and their own writes count all the same. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { type CachedRedis, startCachedRedis } from '../../kit/cached-redis.ts'
import { needs } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { RespClient, type Value } from '../../kit/resp-client.ts'
import { until } from '../../kit/turns.ts'
import { exchange, hits, hold, open } from './twin.ts'

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

  async function pushed(client: RespClient, count: number): Promise<readonly Value[]> {
    await until(
      () => client.pushes.length >= count,
      () => `${count} pushes came: ${JSON.stringify(client.pushes)}`,
    )
    return client.pushes
  }

  for (const protocol of [2, 3] as const) {
    test(`a RESP${protocol} client subscribes, is told, and goes on after it`, async () => {
      using client = await RespClient.connect(cached.ports.v1, protocol)
      using other = await RespClient.connect(cached.ports.v2)
      client.write('SUBSCRIBE', 'news', 'gossip')
      await pushed(client, 2)
      assert.equal(await other.call('PUBLISH', 'news', 'hello'), 1)
      assert.deepEqual((await pushed(client, 3))[2], ['message', 'news', 'hello'])
      client.write('UNSUBSCRIBE')
      await pushed(client, 5)
      assert.deepEqual(
        await client.pipeline([
          ['SET', 'k', 'v'],
          ['GET', 'k'],
        ]),
        ['OK', 'v'],
      )
    })

    test(`a RESP${protocol} client's command of many channels, too long to be taken whole, is followed by what is told`, async () => {
      using client = await RespClient.connect(cached.ports.v1, protocol)
      using other = await RespClient.connect(cached.ports.v2)
      const channels = Array.from({ length: 5_000 }, (_, at) => `a-channel-with-a-long-name-${at}`)
      client.write('SUBSCRIBE', ...channels)
      await pushed(client, channels.length)
      await other.call('PUBLISH', channels[7] ?? '', 'hello')
      assert.deepEqual((await pushed(client, channels.length + 1)).at(-1), ['message', channels[7], 'hello'])
      assert.deepEqual(await client.call('PING'), protocol === 2 ? ['pong', ''] : 'PONG')
      if (protocol === 2) return
      await other.call('SET', 'k', 'v')
      await hold(cached, 'k')
      assert.equal(await client.call('GET', 'k'), 'v')
    })
  }

  test('a RESP3 subscriber reads as well, and never from the view', async () => {
    using client = await RespClient.connect(cached.ports.v1, 3)
    await client.call('SET', 'k', 'v')
    await hold(cached, 'k')
    client.write('SUBSCRIBE', 'news')
    await pushed(client, 1)
    const before = hits(cached)
    assert.equal(await client.call('GET', 'k'), 'v')
    assert.equal(hits(cached), before)
  })

  test('a monitor sees what others do', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    using other = await RespClient.connect(cached.ports.v1)
    assert.equal(await client.call('MONITOR'), 'OK')
    await other.call('SET', 'seen', 'by-all')
    await until(
      () => client.pushes.some((line) => String(line).includes('"seen" "by-all"')),
      () => `the monitor saw it: ${JSON.stringify(client.pushes)}`,
    )
  })

  test('a client that wants no replies gets none', async () => {
    const bytes = 'CLIENT REPLY OFF\r\nSET k 1\r\nGET k\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nGET k\r\nGET k\r\n'
    assert.equal(await exchange(cached.ports.v1, bytes), await exchange(redis.port, bytes))
  })

  test("the app's own client-side caching works", async () => {
    using client = await RespClient.connect(cached.ports.v1, 3)
    using other = await RespClient.connect(cached.ports.v1)
    await client.pipeline([
      ['SET', 'k', 'v'],
      ['CLIENT', 'TRACKING', 'ON'],
      ['GET', 'k'],
    ])
    await other.call('SET', 'k', 'w')
    assert.deepEqual(await pushed(client, 1), [['invalidate', ['k']]])
  })

  test('writes on a subscribed connection are seen by every later read', async () => {
    using client = await RespClient.connect(cached.ports.v1, 3)
    using reader = await RespClient.connect(cached.ports.v2)
    client.write('SUBSCRIBE', 'news')
    await pushed(client, 1)
    for (let round = 0; round < 100; round++) {
      await hold(cached, 'k', 'any', 'v2')
      await client.call('SET', 'k', round)
      assert.equal(await reader.call('GET', 'k'), String(round))
    }
  })

  test('a client that leaves while it waits for an element leaves it to the next', async () => {
    const client = await RespClient.connect(cached.ports.v1)
    const gone = client.call('BLPOP', 'queue', 0)
    gone.catch(() => {})
    using other = await RespClient.connect(cached.ports.v1)
    const blocked = async () => /blocked_clients:1\r/.test(String(await other.call('INFO', 'clients')))
    while (!(await blocked()));
    client[Symbol.dispose]()
    while (await blocked());
    await other.call('RPUSH', 'queue', 'element')
    assert.equal(await other.call('LLEN', 'queue'), 1)
  })

  test('a transaction in another connection wakes a client that waits', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    using other = await RespClient.connect(cached.ports.v2)
    const popped = client.pipeline([
      ['BLPOP', 'list', 0],
      ['GET', 'k'],
    ])
    await other.pipeline([['MULTI'], ['RPUSH', 'list', 'x'], ['SET', 'k', 'new'], ['EXEC']])
    assert.deepEqual(await popped, [['list', 'x'], 'new'])
  })

  test('maintenance notifications are refused: what they tell would lead past the gateway', async () => {
    const answer = await exchange(cached.ports.v1, 'CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type none\r\n')
    assert.match(answer, /^-ERR unknown subcommand/)
  })

  test('a connection that Redis closes is closed, after all that came before', async () => {
    const raw = await open(cached.ports.v1)
    raw.send('SET k v\r\nGET k\r\nQUIT\r\n')
    if (raw.ending === 'open') await once(raw.socket, 'close')
    assert.equal(raw.received.toString(), '+OK\r\n$1\r\nv\r\n+OK\r\n')
  })
})

describe('a Redis that takes no more clients', { skip: needs('redis-server') }, () => {
  test('says so through the gateway as it would itself', async () => {
    await using redis = await startRedis({ conf: ['maxclients 10'] })
    await using cached = await startCachedRedis({ sourcePort: redis.port })
    const clients: RespClient[] = []
    // three are baton's own
    for (let count = 3; count < 10; count++) clients.push(await RespClient.connect(cached.ports.v1))
    for (const client of clients) await client.call('PING')
    const direct = await open(redis.port)
    const through = await open(cached.ports.v1)
    for (const raw of [direct, through]) if (raw.ending === 'open') await once(raw.socket, 'close')
    assert.match(direct.received.toString(), /^-ERR max number of clients/)
    assert.equal(through.received.toString(), direct.received.toString())
    for (const client of clients) client[Symbol.dispose]()
  })
})
