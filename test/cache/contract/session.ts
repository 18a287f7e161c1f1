/** What every tracked source must do (src/cache/session.ts), and what Redis tells through it and does not (CACHE.md section 3). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Access } from '../../../src/cache/redis/access.ts'
import type { OpenSession, Session } from '../../../src/cache/session.ts'
import { BatonError } from '../../../src/errors.ts'
import { startFaultProxy } from '../../kit/fault-proxy.ts'
import { needs } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { type Command, RespClient } from '../../kit/resp-client.ts'
import { until } from '../../kit/until.ts'

export type TrackingBy = 'broadcast' | 'keys'
/** A source of one kind, to the server at `access`. */
export type MakeSource = (access: Access, by: TrackingBy, prefixes: readonly string[]) => OpenSession

export function accessTo(port: number, user: string | null = null, password: string | null = null): Access {
  return { address: { is: 'tcp', host: '127.0.0.1', port }, database: 0, user, password, tls: null }
}

/** A session, and all that it told. */
class Told implements AsyncDisposable {
  readonly keys: (string | null)[] = []
  readonly lost: string[] = []
  readonly abort = new AbortController()
  session!: Session

  async open(open: OpenSession): Promise<this> {
    const invalidated = (keys: readonly Buffer[] | null) => {
      // the probe of the self-test goes away last
      if (keys === null) this.keys.push(null)
      else this.keys.push(...keys.map(String).filter((key) => !key.startsWith('baton:probe:')))
    }
    this.session = await open({ invalidated, lost: (reason) => this.lost.push(reason) }, this.abort.signal)
    await this.session.heard()
    this.keys.length = 0
    return this
  }

  /** What was told of these commands by somebody else, once the keys were read. */
  async of(writer: RespClient, read: readonly string[], ...commands: readonly string[]): Promise<readonly (string | null)[]> {
    await this.session.read(read.map((name) => ['GET', name]))
    await this.session.heard()
    this.keys.length = 0
    await writer.pipeline(commands.map((command): Command => command.split(' ')))
    await this.session.heard()
    return [...new Set(this.keys)].sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session?.close()
  }
}

/** After `before`, when `read` was read (`k`, unless it says otherwise), `done` is done by somebody else, and `told` is told. */
interface Case {
  readonly what: string
  readonly before?: readonly string[]
  readonly read?: readonly string[]
  readonly done: readonly string[]
  readonly told: readonly (string | null)[]
}

const cases: readonly Case[] = [
  { what: 'SET', done: ['SET k v'], told: ['k'] },
  { what: 'SET of the same value', before: ['SET k v'], done: ['SET k v'], told: ['k'] },
  { what: 'DEL', before: ['SET k v'], done: ['DEL k'], told: ['k'] },
  { what: 'UNLINK', before: ['SET k v'], done: ['UNLINK k'], told: ['k'] },
  { what: 'EXPIRE', before: ['SET k v'], done: ['EXPIRE k 100'], told: ['k'] },
  { what: 'GETEX with a TTL', before: ['SET k v'], done: ['GETEX k EX 100'], told: ['k'] },
  { what: 'PERSIST of a TTL', before: ['SET k v EX 100'], done: ['PERSIST k'], told: ['k'] },
  { what: 'HSET after a GET that was an error', before: ['HSET k f v'], done: ['HSET k f w'], told: ['k'] },
  { what: 'SET of a key that was read while it was missing', done: ['SET k v'], told: ['k'] },
  { what: 'LPUSH', before: ['LPUSH k a'], done: ['LPUSH k b'], told: ['k'] },
  { what: 'SORT that stores', before: ['LPUSH l 2 1'], done: ['SORT l STORE k'], told: ['k'] },
  { what: 'RENAME', before: ['SET k v'], read: ['k', 'other'], done: ['RENAME k other'], told: ['k', 'other'] },
  { what: 'COPY', before: ['SET other v'], done: ['COPY other k'], told: ['k'] },
  { what: 'COPY into another database', before: ['SET other v'], done: ['COPY other k DB 1'], told: ['k'] },
  { what: 'MOVE', before: ['SET k v'], done: ['MOVE k 1'], told: ['k'] },
  { what: 'a write to the same name in another database', done: ['SELECT 1', 'SET k v', 'SELECT 0'], told: ['k'] },
  { what: 'a transaction', read: ['k', 'other'], done: ['MULTI', 'SET k v', 'SET other w', 'EXEC'], told: ['k', 'other'] },
  { what: 'FLUSHDB', done: ['FLUSHDB'], told: [null] },
  { what: 'FLUSHDB of another, empty database', done: ['SELECT 9', 'FLUSHDB', 'SELECT 0'], told: [null] },
  { what: 'FLUSHALL', done: ['FLUSHALL'], told: [null] },
  { what: 'SETNX that is refused', before: ['SET k v'], done: ['SETNX k w'], told: [] },
  { what: 'RENAMENX that is refused', before: ['SET k v', 'SET other v'], done: ['RENAMENX other k'], told: [] },
  { what: 'DEL of a missing key', done: ['DEL k'], told: [] },
  { what: 'PERSIST without a TTL', before: ['SET k v'], done: ['PERSIST k'], told: [] },
  { what: 'plain GETEX', before: ['SET k v'], done: ['GETEX k'], told: [] },
  { what: 'SWAPDB', before: ['SET k v'], done: ['SWAPDB 0 1'], told: [] },
]

export function sessionContract(name: string, source: MakeSource): void {
  for (const by of ['broadcast', 'keys'] as const)
    describe(`${name}, tracking by ${by}`, { skip: needs('redis-server') }, () => {
      tells(by, source)
      ends(by, source)
    })
  describe(name, { skip: needs('redis-server') }, () => refuses(source))
}

function tells(by: TrackingBy, source: MakeSource): void {
  for (const { what, before = [], read = ['k'], done, told } of cases)
    test(`${told.length === 0 ? 'is not told of' : 'tells of'} ${what}`, async () => {
      await using redis = await startRedis()
      using writer = await RespClient.connect(redis.port)
      await using telling = await new Told().open(source(accessTo(redis.port), by, ['']))
      await writer.pipeline(before.map((command): Command => command.split(' ')))
      assert.deepEqual(await telling.of(writer, read, ...done), told)
    })

  test('tells of what a script changes, declared or not', async () => {
    await using redis = await startRedis()
    using writer = await RespClient.connect(redis.port)
    await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
    await told.session.read([
      ['GET', 'k'],
      ['GET', 'other'],
    ])
    await writer.call('EVAL', "redis.call('SET', 'k', 1) redis.call('SET', KEYS[1], 1)", 1, 'other')
    await told.session.heard()
    assert.deepEqual(told.keys.sort(), ['k', 'other'])
  })

  test('tells of a second write as well where it was read again', async () => {
    await using redis = await startRedis()
    using writer = await RespClient.connect(redis.port)
    await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
    assert.deepEqual(await told.of(writer, ['k'], 'SET k 1'), ['k'])
    assert.deepEqual(await told.of(writer, ['k'], 'SET k 2'), ['k'])
    // not read again: told by the one that tells of every write
    assert.deepEqual(await told.of(writer, [], 'SET k 3'), by === 'broadcast' ? ['k'] : [])
  })

  test('tells of an expiry when Redis deletes the key', async () => {
    await using redis = await startRedis({ conf: ['enable-debug-command local'] })
    using writer = await RespClient.connect(redis.port)
    await writer.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0)
    await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
    assert.deepEqual(await told.of(writer, [], 'SET k v PX 30'), by === 'broadcast' ? ['k'] : [])
    await told.session.read([['GET', 'k']])
    told.keys.length = 0
    await until(
      async () => (await writer.call('DBSIZE')) === 1 && (await writer.call('PTTL', 'k')) === -2,
      () => 'k expires',
    )
    await told.session.heard()
    assert.deepEqual(told.keys, ['k'])
  })

  test('tells of an eviction', async () => {
    await using redis = await startRedis({ conf: ['maxmemory-policy allkeys-random'] })
    using writer = await RespClient.connect(redis.port)
    await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
    await writer.call('SET', 'k', 'v')
    await told.session.read([['GET', 'k']])
    await writer.call('CONFIG', 'SET', 'maxmemory', 1)
    await until(
      async () => (await writer.call('DBSIZE')) === 0,
      () => 'it is evicted',
    )
    await told.session.heard()
    assert.ok(told.keys.includes('k'))
  })

  test('tells of keys under its prefixes alone, binary ones too', async () => {
    await using redis = await startRedis()
    using writer = await RespClient.connect(redis.port)
    await using told = await new Told().open(source(accessTo(redis.port), by, ['a:', 'b:']))
    const key = Buffer.from([97, 58, 0, 255, 44, 13, 10])
    await told.session.read([
      ['GET', 'a:k'],
      ['GET', key],
    ])
    await writer.pipeline([
      ['SET', 'c:k', 1],
      ['SET', 'a:k', 1],
      ['SET', key, 1],
    ])
    await told.session.heard()
    assert.deepEqual(told.keys.sort(), [key.toString(), 'a:k'])
  })

  test('has been told of all that was before it, when it says that it has heard', async () => {
    await using redis = await startRedis()
    using writer = await RespClient.connect(redis.port)
    await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
    for (let round = 0; round < 200; round++) {
      await told.session.read([['GET', `k${round}`]])
      await writer.call('SET', `k${round}`, 1)
      await told.session.heard()
      assert.equal(told.keys.at(-1), `k${round}`)
    }
  })

  test('is told nothing of what it reads and writes aside, beyond the write', async () => {
    await using redis = await startRedis()
    await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
    const [, value] = await told.session.aside([
      ['SET', 'k', 'v'],
      ['GET', 'k'],
      ['SET', 'k', 'w'],
    ])
    await told.session.heard()
    assert.deepEqual(value, Buffer.from('v'))
    assert.deepEqual([...new Set(told.keys)], by === 'broadcast' ? ['k'] : [])
  })

  test('gives one reply for each command, errors in their place', async () => {
    await using redis = await startRedis()
    await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
    await told.session.aside([['HSET', 'h', 'f', 'v']])
    const replies = await told.session.read([['GET', 'none'], ['GET', 'h'], ['HGETALL', 'h'], ['PTTL', 'h'], ['NONSENSE']])
    assert.equal(replies[0], null)
    assert.match(String(replies[1]), /WRONGTYPE/)
    assert.deepEqual(replies[2], [Buffer.from('f'), Buffer.from('v')])
    assert.equal(replies[3], -1)
    assert.ok(replies[4] instanceof Error)
  })

  test('knows its server', async () => {
    await using redis = await startRedis({ conf: ['maxmemory-policy allkeys-lfu'] })
    await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
    const { version, runId, address, user, evictionPolicy, commands } = told.session.server
    assert.match(version, /^\d+\.\d+\.\d+$/)
    assert.match(runId, /^[0-9a-f]{40}$/)
    assert.deepEqual([address, user, evictionPolicy], [`127.0.0.1:${redis.port}`, 'default', 'allkeys-lfu'])
    assert.ok(Array.isArray(commands) && commands.length > 200)
  })
}

/** The names of baton's own connections that Redis has. */
async function connections(client: RespClient): Promise<string[]> {
  const list = String(await client.call('CLIENT', 'LIST'))
  return [...list.matchAll(/ name=(baton-\S*) /g)].map(([, name = '']) => name)
}

function ends(by: TrackingBy, source: MakeSource): void {
  test('is lost, once and whole, when any of its connections is', async () => {
    await using redis = await startRedis()
    using killer = await RespClient.connect(redis.port)
    await using first = await new Told().open(source(accessTo(redis.port), by, ['']))
    const names = await connections(killer)
    first.session.close()
    await until(
      async () => (await connections(killer)).length === 0,
      () => 'the first one has closed',
    )
    for (const name of names) {
      await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
      const list = String(await killer.call('CLIENT', 'LIST'))
      const id = /^id=(\d+)/.exec(list.split('\n').find((line) => line.includes(` name=${name} `)) ?? '')?.[1] ?? ''
      await killer.call('CLIENT', 'KILL', 'ID', id)
      await until(
        () => told.lost.length > 0,
        () => `it is told that ${name} is lost`,
      )
      await until(
        async () => (await connections(killer)).length === 0,
        () => 'the others are closed',
      )
      await assert.rejects(told.session.heard())
      await assert.rejects(told.session.read([['GET', 'k']]))
      assert.equal(told.lost.length, 1)
    }
  })

  test('fails what is under way when it is lost, and tells nothing more', async () => {
    await using redis = await startRedis()
    await using proxy = await startFaultProxy(redis.port)
    using writer = await RespClient.connect(redis.port)
    await using told = await new Told().open(source(accessTo(proxy.port), by, ['']))
    proxy.weather = { is: 'slow', ms: 100 }
    const [read, heard] = [told.session.read([['GET', 'k']]), told.session.heard()]
    const failing = Promise.all([assert.rejects(read), assert.rejects(heard)])
    await writer.call('SET', 'k', 'v')
    proxy.reset()
    await failing
    assert.deepEqual([told.keys, told.lost.length], [[], 1])
  })

  test('closed, is closed, however often, and is not lost', async () => {
    await using redis = await startRedis()
    using client = await RespClient.connect(redis.port)
    await using told = await new Told().open(source(accessTo(redis.port), by, ['']))
    const under = assert.rejects(told.session.read([['BLPOP', 'none', 0]]))
    told.session.close()
    told.session.close()
    await under
    await until(
      async () => (await connections(client)).length === 0,
      () => 'Redis has no connection of it',
    )
    assert.deepEqual(told.lost, [])
  })

  test('that is given up while it opens leaves nothing open', async () => {
    await using redis = await startRedis()
    await using proxy = await startFaultProxy(redis.port)
    for (const weather of ['black-hole', 'slow'] as const) {
      proxy.weather = weather === 'slow' ? { is: 'slow', ms: 50 } : { is: 'black-hole' }
      await using told = new Told()
      const opening = assert.rejects(told.open(source(accessTo(proxy.port), by, [''])), BatonError)
      await until(
        () => proxy.connections >= 1,
        () => 'it connects',
      )
      told.abort.abort()
      await opening
      proxy.weather = { is: 'fair' }
      proxy.reset()
    }
    using client = await RespClient.connect(redis.port)
    await until(
      async () => (await connections(client)).length === 0,
      () => 'Redis has no connection of it',
    )
  })
}

function refuses(source: MakeSource): void {
  async function refusal(open: OpenSession): Promise<BatonError> {
    await using told = new Told()
    try {
      await told.open(open)
    } catch (error) {
      assert.ok(error instanceof BatonError, String(error))
      return error
    }
    return assert.fail('it was opened')
  }

  async function opened(conf: readonly string[], act: (redis: Redis) => Promise<void>): Promise<void> {
    await using redis = await startRedis({ conf })
    await act(redis)
    using client = await RespClient.connect(redis.port)
    // who was refused holds on to nothing
    const list = String(await client.call('CLIENT', 'LIST'))
    assert.ok(!list.includes('name=baton-'), list)
  }

  test('nobody there', async () => {
    const redis = await startRedis()
    await redis[Symbol.asyncDispose]()
    const error = await refusal(source(accessTo(redis.port), 'broadcast', ['']))
    assert.equal(error.code, 'unreachable')
    assert.match(error.message, new RegExp(`redis at 127.0.0.1:${redis.port}: .*ECONNREFUSED`))
  })

  test('a wrong password, without saying it', async () => {
    await opened(['user app on >right ~* &* +@all'], async (redis) => {
      const error = await refusal(source(accessTo(redis.port, 'app', 'wrong'), 'broadcast', ['']))
      assert.match(error.message, /WRONGPASS/)
      assert.doesNotMatch(error.message, /wrong\b/)
    })
  })

  for (const [what, rules, words] of [
    ['CLIENT TRACKING', '~* &* +@all -client|tracking', /CLIENT TRACKING/],
    ['INFO', '~* &* +@all -info', /refuses INFO/],
    ['COMMAND', '~* &* +@all -command', /refuses COMMAND/],
    ['reading a prefix', '~shop:* ~baton:* &* +@all', /"app".*"users:"/],
    ['the channel of invalidations', '~* resetchannels +@all', /redis/],
  ] as const)
    test(`a user without the right of ${what}, saying so`, async () => {
      await opened([`user app on >secret ${rules}`], async (redis) => {
        const error = await refusal(source(accessTo(redis.port, 'app', 'secret'), 'broadcast', ['shop:', 'users:']))
        assert.equal(error.code, 'unsupported', error.message)
        assert.match(error.message, words)
      })
    })

  test('a replica, which may be the master soon', async () => {
    await using master = await startRedis()
    await opened([`replicaof 127.0.0.1 ${master.port}`], async (redis) => {
      const error = await refusal(source(accessTo(redis.port), 'broadcast', ['']))
      assert.deepEqual([error.code, /is a slave, expected a master/.test(error.message)], ['unreachable', true], error.message)
    })
  })

  test('a node of a cluster', async () => {
    await opened(['cluster-enabled yes'], async (redis) => {
      const error = await refusal(source(accessTo(redis.port), 'broadcast', ['']))
      assert.deepEqual([error.code, /cluster node/.test(error.message)], ['unsupported', true], error.message)
    })
  })

  test('prefixes that Redis refuses, as they overlap', async () => {
    await opened([], async (redis) => {
      const error = await refusal(source(accessTo(redis.port), 'broadcast', ['a', 'ab']))
      assert.deepEqual([error.code, /overlap/.test(error.message)], ['unsupported', true], error.message)
    })
  })
}
