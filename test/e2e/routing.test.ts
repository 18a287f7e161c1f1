/** Where requests go, seen from outside. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { metric, untilProbe } from '../kit/observed.ts'
import { type Received, type Sending, send } from '../kit/send.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'

const users = 400

describe('routing', () => {
  let v1: TestApp
  let v2: TestApp
  let baton: Baton

  before(async () => {
    v1 = await startTestApp('v1')
    v2 = await startTestApp('v2')
    baton = await startBaton({
      config: {
        versions: { v1: { url: v1.url }, v2: { url: v2.url } },
        stable: 'v1',
        candidate: 'v2',
        health: { http: '/healthz', interval: '300ms' },
        routes: [
          { name: 'by-version', match: { headers: { 'x-version': { exact: 'v2' } } }, to: 'v2' },
          { name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate', fallback: 'stable' },
          {
            name: 'inside',
            match: { path: { prefix: '/headers' } },
            to: 'v2',
            only: { cidrs: ['127.0.0.2/32'] },
            set: { 'x-inside': 'yes' },
          },
          { name: 'few', match: { headers: { 'x-split': { present: true } } }, split: { stable: 70, candidate: 30 }, fallback: 'stable' },
        ],
        sticky: { cookie: 'uid', or: { header: 'x-user-id' } },
      },
    })
    await untilProbe(baton, 'ready', 'v1', 'v2')
  })

  after(async () => {
    await baton[Symbol.asyncDispose]()
    await v1.kill()
    await v2.kill()
  })

  const ask = (sending: Omit<Sending, 'port'> = {}): Promise<Received> => send({ port: baton.publicPort, path: '/who', ...sending })
  const versionOf = async (headers: Sending['headers'] = {}): Promise<string> => {
    const received = await ask({ headers })
    const { version } = JSON.parse(received.body) as { version: string }
    assert.equal(received.headers['x-served-by'], version)
    return version
  }
  const fieldsAtApp = async (sending: Omit<Sending, 'port'>): Promise<Record<string, string>> => {
    const { raw } = JSON.parse((await ask({ path: '/headers', ...sending })).body) as { raw: string[] }
    return Object.fromEntries(raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? '']] : [])))
  }

  test('what no route claims goes to stable; a header takes it to the candidate or to a version', async () => {
    assert.equal(await versionOf(), 'v1')
    assert.equal(await versionOf({ 'x-canary': 'true' }), 'v2')
    assert.equal(await versionOf({ 'x-canary': ['false', 'true'] }), 'v2')
    assert.equal(await versionOf({ 'x-canary': 'false' }), 'v1')
    assert.equal(await versionOf({ 'x-version': 'v2' }), 'v2')
    assert.ok((await metric(baton, 'baton_requests_total', { version: 'v2', route: 'canary', status: '2xx' })) >= 2)
  })

  test('the app is told which version baton chose, and a client cannot say it', async () => {
    const fields = await fieldsAtApp({ headers: { 'baton-version': 'v9', 'baton-anything': '1' } })
    assert.equal(fields['baton-version'], 'v1')
    assert.equal(fields['baton-anything'], undefined)
    assert.equal(fields['x-forwarded-for'], '127.0.0.1')
    assert.match(fields.via ?? '', /^1\.1 /)
  })

  test('a user stays on one side of a split, by cookie as by header, and the shares are near the weights', async () => {
    let candidates = 0
    for (let user = 0; user < users; user++) {
      const first = await versionOf({ 'x-split': '1', cookie: `a=b; uid=user-${user}` })
      if (first === 'v2') candidates += 1
      if (user % 10 > 0) continue
      assert.equal(await versionOf({ 'x-split': '1', cookie: `uid=user-${user}` }), first)
      assert.equal(await versionOf({ 'x-split': '1', 'x-user-id': `user-${user}` }), first)
    }
    // 30 % of 400 within five standard deviations
    assert.ok(Math.abs(candidates - users * 0.3) < 5 * Math.sqrt(users * 0.3 * 0.7), `${candidates} of ${users}`)
  })

  test('`only.cidrs`: for another client the route is not there; `set` replaces what the client sent', async () => {
    const outside = await fieldsAtApp({ headers: { 'x-inside': 'forged' } })
    assert.equal(outside['baton-version'], 'v1')
    assert.equal(outside['x-inside'], 'forged')
    const inside = await fieldsAtApp({ headers: { 'x-inside': 'forged' }, from: '127.0.0.2' })
    assert.equal(inside['baton-version'], 'v2')
    assert.equal(inside['x-inside'], 'yes')
    // nobody is trusted here: an address that the client says is none
    assert.equal((await fieldsAtApp({ headers: { 'x-forwarded-for': '127.0.0.2' } }))['baton-version'], 'v1')
  })

  test('x-served-by can be switched off, and an app’s own is not baton’s word', async () => {
    const config = JSON.parse(baton.config) as Record<string, unknown>
    const { bootstrap: _bootstrap, ...dynamic } = config
    assert.equal((await baton.admin('PUT', '/v1/config', { ...dynamic, servedBy: false })).status, 200)
    assert.equal((await ask()).headers['x-served-by'], undefined)
    assert.equal((await baton.admin('PUT', '/v1/config', dynamic)).status, 200)
    assert.equal((await ask()).headers['x-served-by'], 'v1')
  })

  test('a candidate that dies: its fallback answers at once, a version named outright gives 503', async () => {
    await v2.kill()
    // until the probes find out: connect-failed is tried again at the fallback
    for (let n = 0; n < 20; n++) assert.equal(await versionOf({ 'x-canary': 'true' }), 'v1')
    await untilProbe(baton, 'not-ready', 'v2')
    assert.equal(await versionOf({ 'x-canary': 'true' }), 'v1')
    const refused = await ask({ headers: { 'x-version': 'v2' } })
    assert.equal(refused.status, 503)
    assert.equal(refused.headers['retry-after'], '1')
    assert.match(String(refused.headers['baton-error']), /^not-serving; v2 is not serving$/)
    assert.ok((await metric(baton, 'baton_refused_total', { code: 'not-serving' })) >= 1)
  })

  test('nothing serves: 503 with Retry-After and the reason, and readiness says so', async () => {
    await v1.kill()
    await untilProbe(baton, 'not-ready', 'v1')
    const refused = await ask({ headers: { 'x-canary': 'true' } })
    assert.equal(refused.status, 503)
    assert.equal(refused.headers['retry-after'], '1')
    assert.match(String(refused.headers['baton-error']), /^not-serving; neither v2 nor its fallback v1 is serving$/)
    const ready = await baton.metrics('/readyz')
    assert.deepEqual([ready.status, ready.body], [503, 'v1 is not serving\n'])
    assert.equal((await baton.metrics('/livez')).status, 200)
  })
})
