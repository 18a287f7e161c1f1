import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Outcome } from '../../src/admin/rollout-api.ts'
import { rolloutEndpoints } from '../../src/admin/rollout-api.ts'
import { rolloutControl } from './rollout-control.ts'
import { send, serveEndpoints } from './served.ts'

let outcome: Outcome = { is: 'accepted', upgrade: null }
const explained = { receipt: { v: 1 }, entries: [{ seq: 1 }] }
const { calls, control } = rolloutControl(
  () => outcome,
  () => explained,
)
const served = await serveEndpoints(rolloutEndpoints(control))
after(() => served.close())

const post = (path: string, body?: unknown) => send(served.path, 'POST', path, body === undefined ? undefined : JSON.stringify(body))

describe('an order reaches the rollout with its words', () => {
  const rows: readonly (readonly [path: string, body: unknown, call: readonly unknown[]])[] = [
    ['/v1/upgrade', { to: 'v2' }, ['begin', 'v2', null]],
    ['/v1/upgrade', { to: 'v2', plan: 'manual' }, ['begin', 'v2', 'manual']],
    ['/v1/upgrade', { to: 'v2', plan: null }, ['begin', 'v2', null]],
    ['/v1/promote', undefined, ['promote', null]],
    ['/v1/promote', { step: null }, ['promote', null]],
    ['/v1/promote', { step: 0 }, ['promote', 0]],
    ['/v1/pause', {}, ['order', 'pause']],
    ['/v1/resume', undefined, ['order', 'resume']],
    ['/v1/rollback', undefined, ['order', 'rollback']],
    ['/v1/stable', { version: 'v2' }, ['stable', 'v2']],
    ['/v1/drain', { version: 'v1' }, ['drain', 'v1', false]],
    ['/v1/drain', { version: 'v1', force: true }, ['drain', 'v1', true]],
    ['/v1/undrain', { version: 'v1' }, ['undrain', 'v1']],
    ['/v1/retire', { version: 'v1' }, ['retire', 'v1', false]],
    ['/v1/retire', { version: 'v1', force: true }, ['retire', 'v1', true]],
    ['/v1/hold', undefined, ['hold']],
    ['/v1/release', undefined, ['release']],
  ]
  for (const [path, body, call] of rows) {
    test(`POST ${path} ${JSON.stringify(body) ?? ''}`, async () => {
      calls.length = 0
      outcome = { is: 'accepted', upgrade: { id: 'upg-1' } }
      const answer = await post(path, body)
      assert.equal(answer.status, path === '/v1/upgrade' ? 202 : 200)
      assert.deepEqual(answer.body, { is: 'accepted', upgrade: { id: 'upg-1' } })
      assert.deepEqual(calls, [call])
    })
  }
})

describe('what became of an order', () => {
  test('is 200 where it was so already', async () => {
    outcome = { is: 'unchanged', upgrade: null }
    assert.deepEqual(await post('/v1/upgrade', { to: 'v2' }), { status: 200, body: { is: 'unchanged', upgrade: null } })
  })
  test('is 409 with the reason where it was refused', async () => {
    outcome = { is: 'refused', reason: 'v1 is stable' }
    assert.deepEqual(await post('/v1/drain', { version: 'v1' }), {
      status: 409,
      body: { error: { code: 'refused', message: 'v1 is stable' } },
    })
  })
  test('is 404 for a version that is not there', async () => {
    outcome = { is: 'unknown', what: 'version v9' }
    const body = { error: { code: 'unknown', message: 'there is no version v9' } }
    assert.deepEqual(await post('/v1/stable', { version: 'v9' }), { status: 404, body })
  })
})

describe('an order without sense is 400 and reaches nobody', () => {
  const rows: readonly (readonly [path: string, body: string, message: RegExp])[] = [
    ['/v1/upgrade', '', /"to"/],
    ['/v1/upgrade', '{"version": "v2"}', /"to"/],
    ['/v1/stable', '{}', /"version"/],
    ['/v1/stable', '{"version": 2}', /"version" must be a name/],
    ['/v1/stable', '{"version": ""}', /"version" must be a name/],
    ['/v1/drain', '{"version": "v1", "force": "yes"}', /"force" must be true or false/],
    ['/v1/promote', '{"step": "2"}', /"step" must be the number of a step/],
    ['/v1/promote', '{"step": -1}', /"step" must be the number of a step/],
    ['/v1/promote', '{"step": 1.5}', /"step" must be the number of a step/],
    ['/v1/promote', '{', /a JSON object/],
    ['/v1/promote', '[]', /a JSON object/],
    ['/v1/promote', 'null', /a JSON object/],
    ['/v1/promote', `{"to": "${'x'.repeat(70_000)}"}`, /at most 65536 bytes/],
  ]
  for (const [path, body, message] of rows) {
    test(`POST ${path} ${body.slice(0, 40)}`, async () => {
      calls.length = 0
      const answer = await send(served.path, 'POST', path, body)
      assert.equal(answer.status, 400)
      assert.match(String((answer.body as { error: { message: string } }).error.message), message)
      assert.deepEqual(calls, [])
    })
  }
})

describe('the history', () => {
  test('lists the upgrades', async () => {
    assert.deepEqual(await send(served.path, 'GET', '/v1/history'), { status: 200, body: { upgrades: [{ id: 'upg-20261124-ab12' }] } })
  })
  test('tells all of one', async () => {
    assert.deepEqual(await send(served.path, 'GET', '/v1/history/upg-20261124-ab12?x=1'), { status: 200, body: explained })
  })
  for (const id of ['upg-0', '', '..', '%2e%2e%2fledger', 'x'.repeat(65)]) {
    test(`knows no upgrade "${id.slice(0, 20)}"`, async () => {
      const answer = await send(served.path, 'GET', `/v1/history/${id}`)
      assert.equal(answer.status, 404)
      assert.equal((answer.body as { error: { code: string } }).error.code, 'unknown')
    })
  }
  test('has nothing further below, and is only read', async () => {
    assert.equal((await send(served.path, 'GET', '/v1/history/upg-1/x')).status, 404)
    assert.equal((await send(served.path, 'POST', '/v1/history/upg-1')).status, 405)
  })
})
