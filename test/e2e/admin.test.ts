/** The admin API and the observation port of a running baton, as an operator meets them. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { type Baton, batonPath, nodePath, runBaton, startBaton } from '../kit/baton.ts'
import { freePort } from '../kit/free-ports.ts'
import { metric, statusOf, untilProbe } from '../kit/observed.ts'
import { type Sending, send } from '../kit/send.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const token = 'a-token-that-is-long-enough-for-everybody'

interface Event {
  readonly id: number
  readonly event: string
  readonly revision?: number
  readonly version?: string
}

/** The events of /v1/events as they come, until the end of the block. */
function follow(socketPath: string, lastEventId = '0') {
  const events: Event[] = []
  const request = http.get({ socketPath, path: '/v1/events', headers: { 'last-event-id': lastEventId }, agent: false }, (response) => {
    const lines = createInterface({ input: response })
    lines.on('line', (line) => {
      if (line.startsWith('data: ')) events.push(JSON.parse(line.slice(6)) as Event)
    })
    for (const ended of [lines, response]) ended.on('error', () => undefined)
  })
  request.on('error', () => undefined)
  return { events, [Symbol.dispose]: () => void request.destroy() }
}

describe('admin', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'baton-admin-'))
  let v1: TestApp
  let v2: TestApp
  let baton: Baton
  let adminPort: number

  before(async () => {
    v1 = await startTestApp('v1')
    v2 = await startTestApp('v2')
    adminPort = await freePort()
    writeFileSync(join(scratch, 'token'), `${token}\n`, { mode: 0o600 })
    baton = await startBaton({
      config: {
        bootstrap: { admin: { address: `127.0.0.1:${adminPort}`, tokenFile: join(scratch, 'token') } },
        ...dynamic(),
      },
    })
    await untilProbe(baton, 'ready', 'v1', 'v2')
  })

  after(async () => {
    await baton[Symbol.asyncDispose]()
    await v1.kill()
    await v2.kill()
    rmSync(scratch, { recursive: true })
  })

  function dynamic(head = '60s') {
    return {
      versions: { v1: { url: v1.url }, v2: { url: v2.url } },
      stable: 'v1',
      candidate: 'v2',
      health: { http: '/healthz', interval: '100ms', fastInterval: '50ms' },
      timeouts: { head },
      routes: [{ name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate', fallback: 'stable' }],
    }
  }

  const overTcp = (headers: Sending['headers'] = {}, path = '/v1/status') => send({ port: adminPort, path, headers })

  test('the Unix socket and all that baton wrote is for its user alone', async () => {
    assert.equal(statSync(join(baton.dir, '.baton')).mode & 0o777, 0o700)
    for (const file of ['admin.sock', 'lock', 'state.json', 'last-good.json']) {
      // some are written in the background, after it serves
      await until(
        () => existsSync(join(baton.dir, '.baton', file)),
        () => `no ${file}`,
      )
      assert.equal(statSync(join(baton.dir, '.baton', file)).mode & 0o777, 0o600, file)
    }
  })

  test('over TCP: the token lets in; without it 401, and another Host or a page’s Origin 403', async () => {
    const right = { authorization: `Bearer ${token}` }
    assert.equal((await overTcp(right)).status, 200)
    assert.equal((await overTcp()).status, 401)
    assert.equal((await overTcp({ authorization: 'Bearer wrong' })).status, 401)
    assert.equal((await overTcp({ ...right, host: 'evil.example' })).status, 403)
    assert.equal((await overTcp({ ...right, origin: 'http://evil.example' })).status, 403)
    const put = await send({ port: adminPort, method: 'PUT', path: '/v1/config', body: 'stable: v2' })
    assert.equal(put.status, 401)
    assert.equal((await statusOf(baton)).config.lastFault, null)
    assert.ok(!(await overTcp(right, '/v1/config')).body.includes(token))
  })

  test('/v1/status tells pids, roles, versions and configuration', async () => {
    const { baton: self, roles, versions, config } = await statusOf(baton)
    assert.equal(self.keeperPid, baton.keeperPid)
    assert.notEqual(self.pid, self.keeperPid)
    assert.deepEqual([self.ready, self.keeperLost, self.leaving], [true, false, false])
    assert.deepEqual(roles, { stable: 'v1', candidate: 'v2' })
    assert.deepEqual(
      versions.map(({ name, serving }) => [name, serving]),
      [
        ['v1', true],
        ['v2', true],
      ],
    )
    assert.ok(config.revision >= 1)
  })

  test('/v1/events: what happens arrives as it happens; from where a reader left off', async () => {
    using followed = follow(baton.adminSocket)
    await until(
      () => followed.events.some(({ event }) => event === 'baton.ready'),
      () => JSON.stringify(followed.events),
    )
    await v2.ask('POST', '/health?status=500')
    await untilProbe(baton, 'not-ready', 'v2')
    await v2.ask('POST', '/health?status=200')
    assert.equal((await baton.admin('PUT', '/v1/config', dynamic('61s'))).status, 200)
    const { revision } = (await statusOf(baton)).config
    const has = (name: string, holds: (event: Event) => boolean) =>
      until(
        () => followed.events.some((event) => event.event === name && holds(event)),
        () => `no ${name} in ${JSON.stringify(followed.events)}`,
      )
    await has('version.not-ready', ({ version }) => version === 'v2')
    await has('config.applied', (event) => event.revision === revision)
    await has('version.ready', ({ version, id }) => version === 'v2' && id > 5)
    const last = followed.events.at(-1)?.id ?? 0
    using again = follow(baton.adminSocket, String(last - 1))
    await until(
      () => again.events.length > 0,
      () => 'nothing',
    )
    assert.equal(again.events[0]?.id, last)
  })

  test('PUT with If-Match: only over what the writer has read', async () => {
    const read = await baton.admin('GET', '/v1/config')
    const etag = String(read.headers.etag)
    assert.match(etag, /^"[0-9a-f]+"$/)
    const written = await baton.admin('PUT', '/v1/config', dynamic('62s'), { 'if-match': etag })
    assert.equal(written.status, 200)
    assert.notEqual(written.headers.etag, etag)
    const lost = await baton.admin('PUT', '/v1/config', dynamic('63s'), { 'if-match': etag })
    assert.equal(lost.status, 412)
    assert.match((await baton.admin('GET', '/v1/config')).body, /62s/)
    const same = await baton.admin('PUT', '/v1/config', dynamic('62s'))
    assert.equal((JSON.parse(same.body) as { is: string }).is, 'unchanged')
    assert.match(readFileSync(baton.configFile, 'utf8'), /62s/)
  })

  test('an unknown path is 404, another method 405, a body without end 413', async () => {
    assert.equal((await baton.admin('GET', '/v1/nothing')).status, 404)
    assert.equal((await baton.admin('DELETE', '/v1/status')).status, 405)
    assert.equal((await baton.admin('PUT', '/v1/config', 'x'.repeat(1024 * 1024 + 1))).status, 413)
  })

  test('the observation port: probes, metrics, and nothing that changes anything', async () => {
    for (const path of ['/livez', '/readyz', '/startupz', '/metrics']) assert.equal((await baton.metrics(path)).status, 200, path)
    assert.equal((await baton.metrics('/v1/status')).status, 404)
  })

  test('/metrics has what the issue lists', async () => {
    await send({ port: baton.publicPort, path: '/who' })
    await send({ port: baton.publicPort, path: '/who', headers: { 'x-canary': 'true' } })
    await until(
      async () => (await metric(baton, 'baton_requests_total', { route: 'canary', status: '2xx' })) > 0,
      () => 'not counted',
    )
    const { body } = await baton.metrics('/metrics')
    for (const series of [
      'baton_requests_total{version="v2",route="canary",method="GET",status="2xx"}',
      'baton_request_duration_seconds_bucket{version="v1",route="-",le="0.1"}',
      'baton_in_flight{version="v1"}',
      'baton_received_bytes_total{version="v1",route="-"}',
      'baton_sent_bytes_total{version="v1",route="-"}',
      'baton_upstream_connections{version="v1"}',
      'baton_version_ready{version="v1"}',
      'baton_version_serving{version="v1"}',
      'baton_role{role="stable",version="v1"}',
      'baton_probes_total{version="v1",outcome="pass"}',
      'baton_config_revision',
      'baton_config_swaps_total{source="api"}',
      'baton_client_connections',
      'upgrade_duration_seconds_bucket{stage="apply",le="0.1"}',
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_seconds',
    ]) {
      assert.ok(
        body.split('\n').some((line) => line.startsWith(`${series} `)),
        series,
      )
    }
    for (const name of ['baton_retries_total', 'baton_refused_total', 'baton_config_rejected_total', 'graceful_shutdown_failures_total']) {
      assert.match(body, new RegExp(`^# TYPE ${name} counter$`, 'm'))
    }
  })

  test('the commands against it: status, route, and status --watch into a pipe', async () => {
    const status = await runBaton(['status'], { cwd: baton.dir })
    assert.equal(status.code, 0)
    assert.match(status.stdout, /^v2 +candidate +ready/m)
    const route = await runBaton(['route', '-H', 'x-canary: true', '/who'], { cwd: baton.dir })
    assert.equal(route.code, 0)
    assert.match(route.stdout, /v2/)
    assert.match(route.stdout, /canary/)
    const child = spawn(nodePath, [batonPath, 'status', '--watch'], { cwd: baton.dir, stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      assert.equal(typeof (JSON.parse(String((await lines.next()).value)) as Event).event, 'string')
      assert.equal((await baton.admin('PUT', '/v1/config', dynamic('64s'))).status, 200)
      const { revision } = (await statusOf(baton)).config
      let seen: Event
      do seen = JSON.parse(String((await lines.next()).value)) as Event
      while (seen.revision !== revision)
      assert.equal(seen.event, 'config.applied')
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })
})
