/** Whose reads are answered locally: those of the user with whose rights the keys were read, and nobody's without a login. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CachedRedis, startCachedRedis } from '../../kit/cached-redis.ts'
import { needs } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { RespClient, RespError, type Value } from '../../kit/resp-client.ts'
import { hits, hold } from './twin.ts'

const conf = [
  'user default on >open-sesame ~* &* +@all',
  'user baton on >secret ~* &* +@all',
  'user app on >password ~* &* +@all',
  'user guest on >guest ~public:* &* +@all -acl',
]

function isError(value: Value | undefined, code: string): boolean {
  return value instanceof RespError && value.line.startsWith(code)
}

describe('a read of a held key', { skip: needs('redis-server') }, () => {
  let redis: Redis
  let cached: CachedRedis

  before(async () => {
    redis = await startRedis({ conf })
    cached = await startCachedRedis({ sourcePort: redis.port, user: 'baton', password: 'secret' })
    using client = await RespClient.connect(redis.port)
    await client.pipeline([
      ['AUTH', 'baton', 'secret'],
      ['SET', 'k', 'v'],
    ])
    await hold(cached, 'k')
  })

  after(async () => {
    await cached[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  test("by the source's own user is answered locally, from the reply to its login on", async () => {
    for (const login of [
      ['AUTH', 'baton', 'secret'],
      ['HELLO', '3', 'AUTH', 'baton', 'secret', 'SETNAME', 'app'],
    ]) {
      using client = await RespClient.connect(cached.ports.v1)
      const before = hits(cached)
      assert.equal((await client.pipeline([login, ['GET', 'k']]))[1], 'v')
      assert.equal(hits(cached), before)
      assert.equal(await client.call('GET', 'k'), 'v')
      assert.equal(hits(cached), before + 1)
    }
  })

  test('by another user is Redis’s to answer', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    const before = hits(cached)
    await client.call('AUTH', 'app', 'password')
    assert.equal(await client.call('GET', 'k'), 'v')
    await client.call('AUTH', 'guest', 'guest')
    assert.ok(isError(await client.call('GET', 'k'), 'NOPERM'))
    assert.equal(hits(cached), before)
    await client.call('AUTH', 'baton', 'secret')
    assert.equal(await client.call('GET', 'k'), 'v')
    assert.equal(hits(cached), before + 1)
  })

  test('without a login is refused, a failed login included', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    const before = hits(cached)
    assert.ok(isError(await client.call('GET', 'k'), 'NOAUTH'))
    assert.ok(isError(await client.call('AUTH', 'baton', 'wrong'), 'WRONGPASS'))
    assert.ok(isError(await client.call('GET', 'k'), 'NOAUTH'))
    const [login, read] = await client.pipeline([
      ['AUTH', 'baton', 'wrong'],
      ['GET', 'k'],
    ])
    assert.ok(isError(login, 'WRONGPASS') && isError(read, 'NOAUTH'))
    assert.equal(hits(cached), before)
  })

  test('stays with the user of before when another login fails', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    await client.call('AUTH', 'guest', 'guest')
    assert.ok(isError(await client.call('AUTH', 'baton', 'wrong'), 'WRONGPASS'))
    assert.ok(isError(await client.call('GET', 'k'), 'NOPERM'))
  })

  test('is refused after RESET, which logs out', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    await client.pipeline([['AUTH', 'baton', 'secret'], ['RESET']])
    assert.ok(isError(await client.call('GET', 'k'), 'NOAUTH'))
  })

  test('in a transaction that logs in as another user is that user’s', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    await client.call('AUTH', 'baton', 'secret')
    const before = hits(cached)
    await client.pipeline([['MULTI'], ['AUTH', 'guest', 'guest'], ['EXEC']])
    assert.ok(isError(await client.call('GET', 'k'), 'NOPERM'))
    assert.equal(hits(cached), before)
  })

  test('survives a flush that Redis refuses, and no other', async () => {
    using client = await RespClient.connect(cached.ports.v1)
    const held = () => cached.views.v1.peek('k') !== undefined
    assert.ok(isError(await client.call('FLUSHALL'), 'NOAUTH'))
    assert.ok(held())
    await client.call('AUTH', 'baton', 'secret')
    assert.ok(isError(await client.call('FLUSHALL', 'NONSENSE'), 'ERR'))
    assert.ok(held())
    await client.pipeline([['FLUSHALL'], ['SET', 'k', 'v']])
    assert.ok(!held())
    await hold(cached, 'k')
  })
})

test('a default user that needs a password from now on has no hits without one, a second later at most', {
  skip: needs('redis-server'),
}, async (t) => {
  const redis = await startRedis()
  t.after(() => redis[Symbol.asyncDispose]())
  const cached = await startCachedRedis({ sourcePort: redis.port })
  t.after(() => cached[Symbol.asyncDispose]())
  assert.equal(await redis.say('SET k v'), '+OK')
  await hold(cached, 'k')
  const first = async (): Promise<Value> => {
    using client = await RespClient.connect(cached.ports.v1)
    return await client.call('GET', 'k')
  }
  // the first connection asks who it is; one that comes just after it is known by that
  assert.equal(await first(), 'v')
  assert.equal(await redis.say('CONFIG SET requirepass sesame'), '+OK')
  await sleep(1_050)
  assert.ok(isError(await first(), 'NOAUTH'))
  assert.ok(cached.tracker.live, 'the source itself was logged in before')
})
