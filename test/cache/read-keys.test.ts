/** Keys as they are read for the cache, from a real Redis. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hasFieldTtls, type Read, readKeys, type Want } from '../../src/cache/read-keys.ts'
import { openPair } from '../../src/cache/redis/pair.ts'
import type { Session } from '../../src/cache/session.ts'
import { needs } from '../kit/packages.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { accessTo } from './contract/session.ts'

const limits = { maxValueBytes: 1_000, maxFields: 5 }

describe('a key that is read', { skip: needs('redis-server') }, () => {
  let redis: Redis
  let session: Session

  before(async () => {
    redis = await startRedis()
    const hooks = { invalidated() {}, lost() {} }
    session = await openPair(accessTo(redis.port), { by: 'broadcast', prefixes: [''] }, hooks, new AbortController().signal)
    await session.aside([
      ['MSET', 'string', 'value', 'empty', '', 'exact', 'x'.repeat(1_000), 'big', 'x'.repeat(1_001), 'huge', 'x'.repeat(1_000_000)],
      ['SET', 'lasting', 'v', 'PX', 100_000],
      ['HSET', 'hash', 'f', 'v', 'g', 'w'],
      ['PEXPIRE', 'hash', 100_000],
      ['HSET', 'wide', ...Array.from({ length: 12 }, (_, at) => String(at))],
      ['HSET', 'heavy', 'f', 'x'.repeat(2_000), 'g', 'w'],
      ['LPUSH', 'list', 'a'],
      ['SADD', 'set', 'a'],
    ])
  })

  after(async () => {
    session.close()
    await redis[Symbol.asyncDispose]()
  })

  async function read(name: string, want: Want): Promise<Read> {
    const [found] = await readKeys(session, [{ key: Buffer.from(name), want }], limits)
    assert.ok(found !== undefined)
    return found
  }

  /** `value`, `{"f":"v"}`, `absent` or `refused`. */
  async function shown(name: string, want: Want): Promise<string> {
    const found = await read(name, want)
    if (found.is === 'refused') return 'refused'
    switch (found.payload.is) {
      case 'absent':
        return 'absent'
      case 'string':
        return found.payload.value.toString()
      case 'hash': {
        const fields = [...found.payload.fields].map(([field, value]) => `${field}=${value}`)
        return `${found.payload.whole ? 'all' : 'some'} ${fields.join(' ')}`
      }
    }
  }

  test('as a string is one, or missing, or refused as of another type', async () => {
    assert.equal(await shown('string', 'string'), 'value')
    assert.equal(await shown('empty', 'string'), '')
    assert.equal(await shown('none', 'string'), 'absent')
    for (const name of ['hash', 'list', 'set']) assert.equal(await shown(name, 'string'), 'refused')
  })

  test('as whatever it is may be a hash as well', async () => {
    assert.equal(await shown('string', 'any'), 'value')
    assert.equal(await shown('hash', 'any'), 'all f=v g=w')
    assert.equal(await shown('none', 'any'), 'absent')
    assert.equal(await shown('list', 'any'), 'refused')
  })

  test('as a hash is all of it, or missing, or refused where it is too big or none', async () => {
    assert.equal(await shown('hash', 'hash'), 'all f=v g=w')
    assert.equal(await shown('none', 'hash'), 'absent')
    for (const name of ['wide', 'heavy', 'string', 'list']) assert.equal(await shown(name, 'hash'), 'refused')
  })

  test('by fields is all of a small hash, and those of a big one', async () => {
    assert.equal(await shown('hash', ['f', 'x']), 'all f=v g=w')
    assert.equal(await shown('wide', ['0', 'x']), 'some 0=1 x=null')
    assert.equal(await shown('heavy', ['g']), 'some g=w')
    assert.equal(await shown('heavy', ['f']), 'refused')
    assert.equal(await shown('wide', ['0', '2', '4', '6', '8', '10']), 'refused')
    assert.equal(await shown('none', ['f']), 'absent')
  })

  test('is kept up to the greatest size, and no more of it comes over the wire', async () => {
    assert.equal((await shown('exact', 'string')).length, 1_000)
    for (const name of ['big', 'huge']) assert.equal(await shown(name, 'string'), 'refused')
    const before = process.memoryUsage.rss()
    for (let round = 0; round < 100; round++) await read('huge', 'string')
    assert.ok(process.memoryUsage.rss() - before < 50_000_000)
  })

  test('has its TTL', async () => {
    for (const [name, want] of [
      ['lasting', 'string'],
      ['hash', 'hash'],
    ] as const) {
      const found = await read(name, want)
      assert.ok(found.is === 'read' && found.ttlMs !== null && found.ttlMs > 50_000 && found.ttlMs <= 100_000, JSON.stringify(found))
    }
    const found = await read('string', 'string')
    assert.ok(found.is === 'read' && found.ttlMs === null)
  })

  test('among many is read in their order, whatever each is', async () => {
    const requests = ['hash', 'none', 'string', 'list', 'wide', 'lasting'].map((name) => ({ key: Buffer.from(name), want: 'any' as const }))
    const reads = await readKeys(session, requests, limits)
    assert.deepEqual(
      reads.map((found) => (found.is === 'refused' ? 'refused' : found.payload.is)),
      ['hash', 'absent', 'string', 'refused', 'refused', 'string'],
    )
    assert.deepEqual(await readKeys(session, [], limits), [])
  })
})

test('fields have TTLs of their own from Redis 7.4 on', () => {
  assert.deepEqual(['7.0.15', '7.2.5', '7.4.0', '7.10.1', '8.0.0', '6.9'].map(hasFieldTtls), [false, false, true, true, true, false])
})
