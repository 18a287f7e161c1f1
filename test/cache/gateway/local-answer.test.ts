/** What is answered from a view is what Redis answers, byte by byte: each command, each kind of value, both protocols. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Entry, Payload } from '../../../src/cache/entry.ts'
import { answer, isLocal, keysOf, wantOf } from '../../../src/cache/gateway/local-answer.ts'
import type { Protocol } from '../../../src/cache/resp/encode.ts'
import { View } from '../../../src/cache/view.ts'
import { type CachedRedis, startCachedRedis } from '../../kit/cached-redis.ts'
import { needs } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { encode, RespClient } from '../../kit/resp-client.ts'
import { exchange, hits, hold } from './twin.ts'

const binary = Buffer.from([0, 255, 13, 10, 36, 42])

describe('answered locally as by Redis:', { skip: needs('redis-server') }, () => {
  let redis: Redis
  let cached: CachedRedis

  before(async () => {
    redis = await startRedis()
    cached = await startCachedRedis({ sourcePort: redis.port })
    using client = await RespClient.connect(redis.port)
    await client.pipeline([
      ['MSET', 'string', 'value', 'empty', '', binary, binary, 'number', 42],
      ['HSET', 'hash', 'f', 'v', 'empty', '', binary, binary],
      ['SET', 'lasting', 'v', 'EX', 100_000],
      ['HSET', 'lasting-hash', 'f', 'v'],
      ['PEXPIRE', 'lasting-hash', 100_000_000],
    ])
    for (const name of ['string', 'empty', binary.toString('latin1'), 'number', 'lasting', 'none', 'hash', 'lasting-hash'])
      await hold(cached, name)
  })

  after(async () => {
    await cached[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  const commands: readonly (readonly (string | Buffer)[])[] = [
    ['GET', 'string'],
    ['get', 'string'],
    ['GET', 'empty'],
    ['GET', binary],
    ['GET', 'none'],
    ['MGET', 'string'],
    ['MGET', 'string', 'none', binary, 'string', 'empty'],
    ['EXISTS', 'string'],
    ['EXISTS', 'string', 'none', 'string', 'hash'],
    ['EXISTS', 'none'],
    ['TTL', 'string'],
    ['TTL', 'none'],
    ['TTL', 'hash'],
    ['TTL', 'lasting'],
    ['PTTL', 'string'],
    ['PTTL', 'none'],
    ['HGET', 'hash', 'f'],
    ['HGET', 'hash', binary],
    ['HGET', 'hash', 'empty'],
    ['HGET', 'hash', 'none'],
    ['HGET', 'none', 'f'],
    ['HMGET', 'hash', 'f', 'none', binary, 'f'],
    ['HMGET', 'none', 'f', 'g'],
    ['HGETALL', 'hash'],
    ['HGETALL', 'none'],
    ['HGETALL', 'lasting-hash'],
  ]
  for (const protocol of [2, 3] as const)
    for (const words of commands)
      test(`RESP${protocol} ${JSON.stringify(words.map(String).join(' '))}`, async () => {
        const bytes = encode(words)
        const hello = encode(['HELLO', protocol])
        const before = hits(cached)
        const direct = await exchange(redis.port, Buffer.concat([hello, bytes]))
        const through = await exchange(cached.ports.v1, Buffer.concat([encode(['PING']), hello]))
        assert.ok(through.startsWith('+PONG'))
        using client = await RespClient.connect(cached.ports.v1, protocol)
        // the user is known, and nothing is under way: the next one is answered here
        await client.call('PING')
        const chunks: Buffer[] = []
        client.socket.on('data', (chunk: Buffer) => chunks.push(chunk))
        await client.call(...words)
        assert.equal(hits(cached), before + 1)
        const answered = Buffer.concat(chunks).toString('latin1')
        assert.ok(direct.endsWith(answered), `${JSON.stringify(answered)} is not the end of ${JSON.stringify(direct)}`)
      })

  const errors: readonly (readonly string[])[] = [
    ['GET'],
    ['GET', 'string', 'more'],
    ['MGET'],
    ['EXISTS'],
    ['TTL'],
    ['HGET', 'hash'],
    ['HMGET', 'hash'],
    ['HGETALL', 'hash', 'more'],
    ['GET', 'hash'],
    ['HGET', 'string', 'f'],
    ['HMGET', 'string', 'f'],
    ['HGETALL', 'string'],
  ]
  for (const words of errors)
    test(`the error of ${words.join(' ')}`, async () => {
      assert.equal(await exchange(cached.ports.v1, encode(words)), await exchange(redis.port, encode(words)))
    })

  test('MGET of a hash among strings', async () => {
    const bytes = encode(['MGET', 'string', 'hash'])
    assert.equal(await exchange(cached.ports.v1, bytes), await exchange(redis.port, bytes))
  })
})

describe('a view answers', () => {
  const now = 1_000_000

  function viewOf(payload: Payload, expiresIn = Number.POSITIVE_INFINITY): View {
    const view = new View('v1', { bytes: 1e6, absentBytes: 1e6 })
    const entry: Entry = { payload, readAt: now, expiresAt: now + expiresIn, deadline: now + expiresIn, bytes: 200 }
    view.put('k', entry)
    return view
  }

  function ask(view: View, words: readonly string[], at = now, protocol: Protocol = 2): string | null {
    const args = words.map((word) => Buffer.from(word))
    return answer(view, words[0] ?? '', args, protocol, at)?.toString() ?? null
  }

  const string = (value: string): Payload => ({ is: 'string', value: Buffer.from(value) })
  const some: Payload = {
    is: 'hash',
    whole: false,
    fields: new Map([
      ['f', Buffer.from('v')],
      ['none', null],
    ]),
  }

  test('a TTL in seconds rounded half up, in milliseconds rounded up', () => {
    for (const [leftMs, seconds] of [
      [499, 0],
      [500, 1],
      [1_400, 1],
      [1_499, 1],
      [1_500, 2],
      [1_700, 2],
    ] as const) {
      const view = viewOf(string('v'), leftMs)
      assert.equal(ask(view, ['TTL', 'k']), `:${seconds}\r\n`)
      assert.equal(ask(view, ['PTTL', 'k']), `:${leftMs}\r\n`)
      assert.equal(ask(view, ['PTTL', 'k'], now + 0.3), `:${leftMs}\r\n`)
    }
  })

  test('until the very moment of the deadline, and holds nothing from then on', () => {
    const view = viewOf(string('v'), 50)
    assert.equal(ask(view, ['GET', 'k'], now + 49.9), '$1\r\nv\r\n')
    assert.equal(ask(view, ['GET', 'k'], now + 50), null)
    assert.equal(view.keys, 0)
  })

  test('of a hash of which some fields are held those, and nothing that needs all', () => {
    const view = viewOf(some)
    assert.equal(ask(view, ['HGET', 'k', 'f']), '$1\r\nv\r\n')
    assert.equal(ask(view, ['HGET', 'k', 'none']), '$-1\r\n')
    assert.equal(ask(view, ['HMGET', 'k', 'none', 'f'], now, 3), '*2\r\n_\r\n$1\r\nv\r\n')
    assert.equal(ask(view, ['HGET', 'k', 'g']), null)
    assert.equal(ask(view, ['HMGET', 'k', 'f', 'g']), null)
    assert.equal(ask(view, ['HGETALL', 'k']), null)
    assert.equal(ask(view, ['EXISTS', 'k']), ':1\r\n')
  })

  test('an MGET only when all of it is held', () => {
    const view = viewOf(string('v'))
    assert.equal(ask(view, ['MGET', 'k', 'k']), '*2\r\n$1\r\nv\r\n$1\r\nv\r\n')
    assert.equal(ask(view, ['MGET', 'k', 'other']), null)
    assert.equal(ask(view, ['EXISTS', 'k', 'other']), null)
  })

  test('the commands that it can, with as many words as they have', () => {
    assert.deepEqual(
      [isLocal('GET', 2), isLocal('GET', 3), isLocal('MGET', 9), isLocal('HGET', 2), isLocal('SET', 3), isLocal('constructor', 2)],
      [true, false, true, false, false, false],
    )
  })
})

describe('what is read for a miss', () => {
  const words = (text: string) => text.split(' ').map((word) => Buffer.from(word))

  test('are the keys of the command', () => {
    assert.deepEqual(keysOf('MGET', words('MGET a b')).map(String), ['a', 'b'])
    assert.deepEqual(keysOf('HMGET', words('HMGET h f g')).map(String), ['h'])
  })

  test('are the fields that are asked for and those held already, as long as they are not too many', () => {
    const held: Entry = {
      payload: { is: 'hash', whole: false, fields: new Map([['g', null]]) },
      readAt: 0,
      expiresAt: 0,
      deadline: 0,
      bytes: 0,
    }
    assert.deepEqual(wantOf('HGET', words('HGET h f'), held, 10), ['f', 'g'])
    assert.deepEqual(wantOf('HGET', words('HGET h f'), held, 1), ['f'])
    assert.equal(wantOf('HGETALL', words('HGETALL h'), held, 10), 'hash')
    assert.equal(wantOf('TTL', words('TTL k'), undefined, 10), 'string')
  })
})
