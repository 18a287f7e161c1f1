/** The read-only port. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { observationEndpoints } from '../../src/admin/observation.ts'
import { serve } from './running.ts'

async function setUp(t: TestContext, { started = true, whyNotReady = null as string | null } = {}) {
  const metrics = async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'baton_queued 0\n' })
  const { ask, server } = await serve(observationEndpoints({ started: () => started, whyNotReady: () => whyNotReady, metrics }))
  t.after(() => server.close())
  return async (method: string, path: string) => {
    const { status, body } = await ask(method, path)
    return [status, body]
  }
}

test('alive is who answers', async (t) => {
  const ask = await setUp(t, { started: false, whyNotReady: 'x' })
  assert.deepEqual(await ask('GET', '/livez'), [200, 'ok\n'])
})

test('started is known apart from ready', async (t) => {
  const ask = await setUp(t, { started: true, whyNotReady: 'v1 is not serving' })
  assert.deepEqual(await ask('GET', '/startupz'), [200, 'ok\n'])
  assert.deepEqual(await ask('GET', '/readyz'), [503, 'v1 is not serving\n'])
  const other = await setUp(t, { started: false })
  assert.deepEqual(await other('GET', '/startupz'), [503, 'starting\n'])
  assert.deepEqual(await other('GET', '/readyz'), [200, 'ok\n'])
})

test('metrics are as the exposition gives them', async (t) => {
  const ask = await setUp(t)
  assert.deepEqual(await ask('GET', '/metrics'), [200, 'baton_queued 0\n'])
})

test('nothing can be changed here', async (t) => {
  const ask = await setUp(t)
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
    for (const path of ['/livez', '/readyz', '/startupz', '/metrics']) assert.equal((await ask(method, path))[0], 405, `${method} ${path}`)
  assert.equal((await ask('GET', '/v1/status'))[0], 404)
})
