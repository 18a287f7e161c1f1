/** The server behind every admin and observation endpoint: its table of paths, and what no handler may do to it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { answerText, bodyText } from '../../src/admin/answer.ts'
import type { Endpoints, Guard } from '../../src/admin/http-server.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { quiet, until } from '../kit/turns.ts'
import { serve } from './running.ts'

const limit = 100_000

const endpoints: Endpoints = {
  'GET /here': (_, response) => answerText(response, 200, 'here'),
  'PUT /here': (_, response) => answerText(response, 200, 'put'),
  'POST /throws': () => {
    throw new Error('broken at once')
  },
  'POST /rejects': async () => {
    throw new Error('broken later')
  },
  'POST /half': async (_, response) => {
    response.writeHead(200).write('half')
    throw new Error('broken half-way')
  },
  'POST /body': async (request, response) => {
    const body = await bodyText(request, limit)
    answerText(response, body === null ? 413 : 200, String(body?.length))
  },
}

async function setUp(t: TestContext, guard?: Guard) {
  const running = await serve(endpoints, guard)
  t.after(() => running.server.close())
  return running
}

const errorOf = (body: string) => (JSON.parse(body) as { error: { code: string; message: string } }).error

test('a path is served by its method; HEAD is GET without a body; a query is no part of the path', async (t) => {
  const { ask } = await setUp(t)
  assert.equal((await ask('GET', '/here')).body, 'here')
  assert.equal((await ask('PUT', '/here?x=1')).body, 'put')
  const head = await ask('HEAD', '/here')
  assert.deepEqual([head.status, head.body], [200, ''])
})

test('another method is 405 with what is allowed', async (t) => {
  const { ask } = await setUp(t)
  const { status, headers, body } = await ask('DELETE', '/here')
  assert.deepEqual([status, headers.allow, errorOf(body).code], [405, 'GET, PUT', 'method-not-allowed'])
})

test('another path is 404 and names those that there are', async (t) => {
  const { ask } = await setUp(t)
  const { status, body } = await ask('GET', '/there')
  assert.deepEqual([status, errorOf(body).code], [404, 'unknown-path'])
  assert.match(errorOf(body).message, /GET \/here/)
  for (const path of ['/__proto__', '/constructor', '//here', '/here/']) assert.equal((await ask('GET', path)).status, 404, path)
})

for (const path of ['/throws', '/rejects'])
  test(`a handler that fails (${path}) is 500 and an error in the log, and the server goes on`, async (t) => {
    const { ask, records } = await setUp(t)
    const { status, body } = await ask('POST', path)
    assert.deepEqual([status, errorOf(body).code], [500, 'internal'])
    assert.deepEqual(
      records.map(({ level, event, fields }) => [level, event, fields.path]),
      [['error', 'admin.failed', path]],
    )
    assert.equal((await ask('GET', '/here')).status, 200)
  })

test('a handler that fails half-way cuts its answer, so that it is not taken for whole', async (t) => {
  const { ask } = await setUp(t)
  await assert.rejects(ask('POST', '/half'))
})

test('a body up to its limit is read; a longer one is told so, however long it is', async (t) => {
  const { ask } = await setUp(t)
  assert.equal((await ask('POST', '/body', { body: Buffer.alloc(limit) })).body, String(limit))
  for (const size of [limit + 1, 20 * limit, 300 * limit])
    assert.equal((await ask('POST', '/body', { body: Buffer.alloc(size) })).status, 413)
})

test('a client that leaves within its body is nobody’s error', async (t) => {
  const { port, records } = await setUp(t)
  const client = await connectRaw({ port })
  client.send('POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf')
  await quiet()
  client.reset()
  await quiet(200)
  assert.deepEqual(
    records.filter(({ level }) => level === 'error' || level === 'warn'),
    [],
  )
})

test('the guard is asked before anything else, with its own answer', async (t) => {
  const { ask } = await setUp(t, () => ({ status: 403, code: 'host', message: 'no' }))
  const { status, body } = await ask('GET', '/there')
  assert.deepEqual([status, errorOf(body)], [403, { code: 'host', message: 'no' }])
})

test('close cuts what is open, gives the port up, and can be said twice', async (t) => {
  const { port, server } = await setUp(t)
  const client = await connectRaw({ port })
  client.send('GET /here HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => client.received.includes('here'), 'it is answered')
  await Promise.all([server.close(), server.close()])
  await until(() => client.ending !== 'open', 'it is cut')
  await assert.rejects(connectRaw({ port }), { code: 'ECONNREFUSED' })
})
