import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { type CacheControl, cacheEndpoints } from '../../src/admin/cache-api.ts'
import { send, serveEndpoints } from './served.ts'

const stats = { source: null, versions: [] }
const begun = { ended: null, progress: { phase: 'waiting' } }
const explained = { key: 'a', verdict: 'passed through', views: [] }
let calls: unknown[][] = []

const control: CacheControl = {
  stats: () => stats,
  async explain(key) {
    calls.push(['explain', [...key]])
    return explained
  },
  flush: () => void calls.push(['flush']),
  warm(version) {
    calls.push(['warm', version])
    return version === 'v2' ? begun : null
  },
}
const served = await serveEndpoints(cacheEndpoints(control))
const without = await serveEndpoints(cacheEndpoints(null))
after(() => Promise.all([served.close(), without.close()]))
beforeEach(() => (calls = []))

const post = (path: string, body?: string) => send(served.path, 'POST', path, body)

describe("the cache's part of the admin API", () => {
  test('GET /v1/cache gives its figures', async () => {
    assert.deepEqual(await send(served.path, 'GET', '/v1/cache'), { status: 200, body: stats })
  })
  test('POST /v1/cache/flush drops everything', async () => {
    assert.deepEqual(await post('/v1/cache/flush'), { status: 200, body: { is: 'accepted' } })
    assert.deepEqual(calls, [['flush']])
  })
  test('POST /v1/cache/warm begins, and says how it stands', async () => {
    assert.deepEqual(await post('/v1/cache/warm', '{"version": "v2"}'), { status: 202, body: begun })
    assert.deepEqual(calls, [['warm', 'v2']])
  })
  test('of a version without a cache it is 404', async () => {
    const body = { error: { code: 'unknown', message: 'there is no version v9 with a cache' } }
    assert.deepEqual(await post('/v1/cache/warm', '{"version": "v9"}'), { status: 404, body })
  })
  test('POST /v1/cache/explain takes a key as text, or any bytes as base64', async () => {
    assert.deepEqual(await post('/v1/cache/explain', '{"key": "ä"}'), { status: 200, body: explained })
    assert.deepEqual(await post('/v1/cache/explain', '{"base64": "AP8="}'), { status: 200, body: explained })
    assert.deepEqual(calls, [
      ['explain', [0xc3, 0xa4]],
      ['explain', [0, 255]],
    ])
  })
})

describe('what makes no sense is 400 and reaches nobody', () => {
  const bodies = ['', '{', 'null', '[]', '{}', '{"version": 2, "key": 2}', '{"version": "", "key": ""}', `{"key": "${'x'.repeat(70_000)}"}`]
  for (const path of ['/v1/cache/warm', '/v1/cache/explain']) {
    for (const body of bodies) {
      test(`POST ${path} ${body.slice(0, 40)}`, async () => {
        const answer = await post(path, body)
        assert.equal(answer.status, 400)
        assert.match((answer.body as { error: { message: string } }).error.message, /^expected JSON \{(version|key)\}/)
        assert.deepEqual(calls, [])
      })
    }
  }
})

describe('without bootstrap.redis', () => {
  const requests = [
    ['GET', '/v1/cache'],
    ['POST', '/v1/cache/flush'],
    ['POST', '/v1/cache/warm'],
    ['POST', '/v1/cache/explain'],
  ] as const
  for (const [method, path] of requests) {
    test(`${method} ${path} is 409, and says what is missing`, async () => {
      const answer = await send(without.path, method, path)
      assert.equal(answer.status, 409)
      assert.match((answer.body as { error: { message: string } }).error.message, /no bootstrap\.redis/)
    })
  }
})
