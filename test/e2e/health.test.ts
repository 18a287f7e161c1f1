/** A version gets traffic exactly while it can serve. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { describe, test } from 'node:test'
import { startBaton } from '../kit/baton.ts'
import { freePort } from '../kit/free-ports.ts'
import { logged, metric, statusOf, untilProbe, versionOf } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { managedApp, startTestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const health = { http: '/healthz', interval: '200ms', fastInterval: '50ms' }
const canary = { name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate', fallback: 'stable' }

describe('health', () => {
  test('a version that starts slowly gets no request until it is ready, and then its share', async () => {
    await using v1 = await startTestApp('v1')
    await using v2 = await startTestApp('v2', { HEALTH: '503' })
    const versions = { v1: { url: v1.url }, v2: { url: v2.url } }
    await using baton = await startBaton({ config: { versions, stable: 'v1', candidate: 'v2', health, routes: [canary] } })
    await untilProbe(baton, 'ready', 'v1')
    const ask = async (): Promise<string> => {
      const received = await send({ port: baton.publicPort, path: '/who', headers: { 'x-canary': 'true' } })
      assert.equal(received.status, 200, received.body)
      return (JSON.parse(received.body) as { version: string }).version
    }
    for (let probes = 0; probes < 5; probes = (await v2.seen()).probes) assert.equal(await ask(), 'v1')
    assert.equal((await v2.seen()).requests, 0)
    assert.equal((await versionOf(baton, 'v2')).probe.is, 'starting')
    await v2.ask('POST', '/health?status=200')
    await untilProbe(baton, 'ready', 'v2')
    assert.equal(await ask(), 'v2')
    assert.equal((await versionOf(baton, 'v2')).serving, true)
    assert.equal(logged(baton, 'version.not-ready').length, 0, 'failures of a start are not counted')
  })

  test('a version that turns bad is left, and comes back when it is well', async () => {
    await using v1 = await startTestApp('v1')
    await using v2 = await startTestApp('v2')
    const versions = { v1: { url: v1.url }, v2: { url: v2.url } }
    await using baton = await startBaton({ config: { versions, stable: 'v1', candidate: 'v2', health, routes: [canary] } })
    await untilProbe(baton, 'ready', 'v1', 'v2')
    await v2.ask('POST', '/health?status=500')
    await untilProbe(baton, 'not-ready', 'v2')
    const { probe } = await versionOf(baton, 'v2')
    assert.equal(probe.reason, 'GET /healthz answered 500')
    assert.equal(await metric(baton, 'baton_version_ready', { version: 'v2' }), 0)
    const before = (await v2.seen()).requests
    for (let n = 0; n < 10; n++) {
      const { status, headers } = await send({ port: baton.publicPort, path: '/who', headers: { 'x-canary': 'true' } })
      assert.deepEqual([status, headers['x-served-by']], [200, 'v1'])
    }
    assert.equal((await v2.seen()).requests, before + 0)
    await v2.ask('POST', '/health?status=204')
    await untilProbe(baton, 'ready', 'v2')
    assert.equal((await send({ port: baton.publicPort, headers: { 'x-canary': 'true' }, path: '/who' })).headers['x-served-by'], 'v2')
  })

  test('a TCP probe: an open port is ready, a closed one is not', async () => {
    const port = await freePort()
    const versions = { v1: { url: `http://127.0.0.1:${port}` } }
    await using baton = await startBaton({
      config: { versions, stable: 'v1', health: { tcp: true, interval: '100ms', fastInterval: '50ms' } },
    })
    await until(
      async () => (await metric(baton, 'baton_probes_total', { version: 'v1', outcome: 'fail' })) > 0,
      () => 'no probe',
    )
    assert.equal((await versionOf(baton, 'v1')).probe.is, 'starting')
    const server = net.createServer((socket) => socket.on('error', () => undefined).resume()).listen(port, '127.0.0.1')
    try {
      await untilProbe(baton, 'ready', 'v1')
    } finally {
      server.close()
    }
    await untilProbe(baton, 'not-ready', 'v1')
    assert.equal((await versionOf(baton, 'v1')).probe.reason, 'ECONNREFUSED')
  })

  test('a managed version that never starts is one clear line in status and log, and baton serves the other', async () => {
    const processes = { v1: managedApp('v1'), v2: { command: ['/bin/sh', '-c', 'exit 7'], port: 0 } }
    const versions = { v1: { process: 'v1' }, v2: { process: 'v2' } }
    await using baton = await startBaton({ config: { bootstrap: { processes }, versions, stable: 'v1', candidate: 'v2', health } })
    await untilProbe(baton, 'ready', 'v1')
    await until(
      async () => (await versionOf(baton, 'v2')).probe.reason === 'its process ended: exit code 7',
      () => baton.output(),
    )
    const [line] = logged(baton, 'process.exited')
    assert.deepEqual([line?.version, line?.exit, line?.command], ['v2', 'exit code 7', '/bin/sh -c exit 7'])
    assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
    assert.ok(!baton.output().includes('    at '), 'a stack trace')
  })

  test('a managed version whose process is down is not ready because a stranger answers at its port', async () => {
    await using v1 = await startTestApp('v1')
    await using stranger = await startTestApp('stranger')
    const processes = { v2: { command: ['/bin/sh', '-c', 'exit 7'], port: stranger.port } }
    const versions = { v1: { url: v1.url }, v2: { process: 'v2' } }
    await using baton = await startBaton({ config: { bootstrap: { processes }, versions, stable: 'v1', candidate: 'v2', health } })
    await until(
      () => logged(baton, 'process.exited').length >= 4,
      () => baton.output(),
    )
    assert.equal(logged(baton, 'version.ready').filter(({ version }) => version === 'v2').length, 0)
    assert.equal((await versionOf(baton, 'v2')).serving, false)
  })

  test('exchanges that go unanswered in a row take a version out, and never the last one that serves', async () => {
    await using v1 = await startTestApp('v1')
    await using v2 = await startTestApp('v2')
    const versions = { v1: { url: v1.url }, v2: { url: v2.url } }
    const config = { versions, stable: 'v1', candidate: 'v2', routes: [canary], retry: { min: 0, budget: '0%' } }
    await using baton = await startBaton({ config: { ...config, health: { ...health, interval: '1h', passiveFailures: 3 } } })
    await untilProbe(baton, 'ready', 'v1', 'v2')
    const cut = (headers = {}) => send({ port: baton.publicPort, method: 'POST', path: '/cut', headers })
    for (let n = 0; n < 3; n++) assert.equal((await cut({ 'x-canary': 'true' })).status, 502)
    // the answer and the log come by different ways
    await until(
      () => logged(baton, 'version.not-ready').length > 0,
      () => baton.output(),
    )
    const out = logged(baton, 'version.not-ready')
    assert.deepEqual([out.length, out[0]?.version], [1, 'v2'])
    assert.match(String(out[0]?.reason), /^3 exchanges in a row failed: /)
    // its probe is good, so it comes back; meanwhile nothing else but v1 serves, and v1 is never taken out
    await v2.kill()
    await untilProbe(baton, 'not-ready', 'v2').catch(async () => assert.fail(JSON.stringify(await statusOf(baton))))
    for (let n = 0; n < 6; n++) assert.equal((await cut()).status, 502)
    assert.equal((await versionOf(baton, 'v1')).serving, true)
    assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
  })
})
