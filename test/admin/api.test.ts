/** The admin API on a real server: each outcome of a put has its status, and bad input its words. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type Administered, adminEndpoints } from '../../src/admin/api.ts'
import { compileSnapshot } from '../../src/config/compile.ts'
import type { PutOutcome } from '../../src/config/file-source.ts'
import type { ConfigFault } from '../../src/errors.ts'
import type { RouteRequest } from '../../src/routing/route.ts'
import { Events } from '../../src/telemetry/events.ts'
import { minimal, parse } from '../config/fixture.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { serve } from './running.ts'

const { bootstrap, dynamic } = parse(minimal)
const snapshot = compileSnapshot(bootstrap, dynamic, 7)
const fault: ConfigFault = {
  source: 'baton.yaml',
  line: 3,
  column: 1,
  path: 'stable',
  found: '"v9"',
  expected: 'a version of this configuration',
  hint: null,
  reason: 'cross-check',
}

async function setUp(t: TestContext, outcome: PutOutcome = { is: 'applied', snapshot, needsGeneration: [] }) {
  const puts: (readonly [text: string, ifMatch: string | null])[] = []
  const questions: RouteRequest[] = []
  const administered: Administered = {
    status: () => ({ baton: { version: '1' } }),
    config: () => ({ text: minimal, hash: 'abc' }),
    putConfig: async (text, ifMatch) => {
      puts.push([text, ifMatch])
      return outcome
    },
    reload: async () => outcome,
    route: (request) => {
      questions.push(request)
      return snapshot.router.explain(request, () => 0.5)
    },
    events: new Events(),
  }
  const { ask, server } = await serve(adminEndpoints(administered, new FakeWorld()))
  t.after(() => server.close())
  return { ask, puts, questions }
}

test('the status is JSON, and not to be kept', async (t) => {
  const { ask } = await setUp(t)
  const { status, headers, body } = await ask('GET', '/v1/status')
  assert.deepEqual([status, headers['content-type'], headers['cache-control']], [200, 'application/json', 'no-store'])
  assert.deepEqual(JSON.parse(body), { baton: { version: '1' } })
})

test('the configuration is its text, with its hash as ETag', async (t) => {
  const { ask } = await setUp(t)
  const { headers, body } = await ask('GET', '/v1/config')
  assert.deepEqual([headers.etag, body], ['"abc"', minimal])
})

describe('a put', () => {
  test('hands over the text as it came, with If-Match without its quotes', async (t) => {
    const { ask, puts } = await setUp(t)
    await ask('PUT', '/v1/config', { body: 'ä: 1\n' })
    await ask('PUT', '/v1/config', { body: 'b', headers: { 'if-match': '"abc"' } })
    await ask('PUT', '/v1/config', { body: 'c', headers: { 'if-match': 'abc' } })
    assert.deepEqual(puts, [
      ['ä: 1\n', null],
      ['b', 'abc'],
      ['c', 'abc'],
    ])
  })

  for (const is of ['applied', 'unchanged'] as const)
    test(`${is}: 200 with revision, hash and what needs a new generation`, async (t) => {
      const { ask } = await setUp(t, { is, snapshot, needsGeneration: ['bootstrap.state'] })
      for (const [method, path] of [
        ['PUT', '/v1/config'],
        ['POST', '/v1/reload'],
      ] as const) {
        const { status, headers, body } = await ask(method, path, { body: 'x' })
        assert.deepEqual([status, headers.etag], [200, `"${snapshot.hash}"`])
        assert.deepEqual(JSON.parse(body), { is, revision: 7, hash: snapshot.hash, needsGeneration: ['bootstrap.state'] })
      }
    })

  const errors: readonly (readonly [PutOutcome, number, string, RegExp])[] = [
    [{ is: 'refused', faults: [fault, fault] }, 422, 'config', /^(baton\.yaml:3:1 stable: found "v9", .*\n?){2}$/],
    [{ is: 'changed-meanwhile', hash: 'def' }, 412, 'changed-meanwhile', /"def"/],
    [{ is: 'not-replaceable', reason: 'read-only file system' }, 409, 'not-replaceable', /^read-only file system$/],
  ]
  for (const [outcome, expected, code, message] of errors)
    test(`${outcome.is}: ${expected} with what a person can act on`, async (t) => {
      const { ask } = await setUp(t, outcome)
      const { status, body } = await ask('PUT', '/v1/config', { body: 'x' })
      const { error } = JSON.parse(body) as { error: { code: string; message: string } }
      assert.deepEqual([status, error.code], [expected, code])
      assert.match(error.message, message)
    })

  test('refused: every fault is there as data too', async (t) => {
    const { ask } = await setUp(t, { is: 'refused', faults: [fault] })
    const { body } = await ask('PUT', '/v1/config', { body: 'x' })
    assert.deepEqual((JSON.parse(body) as { error: { faults: unknown } }).error.faults, [fault])
  })

  test('of more than a mebibyte is 413, and nobody is handed anything', async (t) => {
    const { ask, puts } = await setUp(t)
    const { status } = await ask('PUT', '/v1/config', { body: Buffer.alloc(1024 * 1024 + 1, 'x') })
    assert.deepEqual([status, puts], [413, []])
    assert.equal((await ask('PUT', '/v1/config', { body: Buffer.alloc(1024 * 1024, 'x') })).status, 200)
  })
})

describe('a question about a route', () => {
  test('is answered with the decision and its reasons; what it leaves out has plain values', async (t) => {
    const { ask, questions } = await setUp(t)
    const { status, body } = await ask('POST', '/v1/route', { body: '{"target":"/api"}' })
    assert.equal(status, 200)
    assert.equal((JSON.parse(body) as { decision: { version: string } }).decision.version, 'v1')
    assert.deepEqual(questions, [{ method: 'GET', target: '/api', host: '', client: '127.0.0.1', raw: [] }])
  })

  for (const bad of ['', 'x', 'null', '[]x', '{"target":1}', '{"raw":["a"]}', '{"raw":[1,2]}', '{"raw":{}}', '{"host":null}'])
    test(`that is none (${bad || 'empty'}) is 400`, async (t) => {
      const { ask, questions } = await setUp(t)
      assert.equal((await ask('POST', '/v1/route', { body: bad })).status, 400)
      assert.deepEqual(questions, [])
    })
})
