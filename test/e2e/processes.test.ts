/** Apps that baton starts: they are kept running, changed and ended without a trace. */
import assert from 'node:assert/strict'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { freePort } from '../kit/free-ports.ts'
import { startLoad } from '../kit/load.ts'
import { logged, metric, statusOf, untilProbe, versionOf } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { managedApp, startTestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

interface Written {
  readonly bootstrap: { readonly processes: Readonly<Record<string, { readonly port: number }>> }
  readonly versions: Readonly<Record<string, unknown>>
}

const base = {
  versions: { v1: { process: 'v1' }, v2: { process: 'v2' } },
  stable: 'v1',
  candidate: 'v2',
  health: { http: '/healthz', interval: '500ms', fastInterval: '50ms' },
  routes: [{ name: 'by-version', match: { headers: { 'x-version': 'v2' } }, to: 'v2' }],
}

async function startTwo(): Promise<Baton> {
  const baton = await startBaton({ config: { ...base, bootstrap: { processes: { v1: managedApp('v1'), v2: managedApp('v2') } } } })
  await untilProbe(baton, 'ready', 'v1', 'v2')
  return baton
}

async function pidOf(baton: Baton, name: string): Promise<number | null> {
  return (await versionOf(baton, name)).process?.pid ?? null
}

function reload(baton: Baton, config: unknown): void {
  writeFileSync(`${baton.configFile}.next`, JSON.stringify(config))
  renameSync(`${baton.configFile}.next`, baton.configFile)
  baton.kill('SIGHUP')
}

describe('managed processes', () => {
  test('one that crashes is started again, later each time, and the other one does not notice', async () => {
    await using baton = await startTwo()
    const [v1, v2] = [await pidOf(baton, 'v1'), await pidOf(baton, 'v2')]
    const answered = { wrong: 0 }
    await using load = startLoad({
      port: baton.publicPort,
      workers: 2,
      request: () => ({ path: '/who' }),
      check: ({ status }) => (status === 200 ? null : `${status} ${answered.wrong++}`),
    })
    for (let crash = 1; crash <= 3; crash++) {
      await send({ port: baton.publicPort, method: 'POST', path: '/exit?code=3', headers: { 'x-version': 'v2' } }).catch(() => null)
      await until(
        () => logged(baton, 'process.exited').length === crash,
        () => baton.output(),
      )
      await untilProbe(baton, 'ready', 'v2')
    }
    const { wrong, errors } = await load.stop()
    assert.deepEqual([wrong, errors], [[], {}])
    assert.deepEqual(
      logged(baton, 'process.exited').map((line) => [line.version, line.exit, line.restart_in_ms]),
      [100, 200, 400].map((ms) => ['v2', 'exit code 3', ms]),
    )
    assert.equal(await pidOf(baton, 'v1'), v1)
    assert.notEqual(await pidOf(baton, 'v2'), v2)
    assert.equal((await versionOf(baton, 'v2')).process?.restarts, 3)
    assert.equal(await metric(baton, 'baton_process_exits_total', { version: 'v2' }), 3)
    assert.equal(await metric(baton, 'baton_process_starts_total', { version: 'v2' }), 4)
  })

  test('a third one is added by a reload, takes traffic, and the first one is drained and stopped when it is taken away', async () => {
    await using baton = await startTwo()
    const v1 = await pidOf(baton, 'v1')
    const config = JSON.parse(baton.config) as Written
    const processes = { ...config.bootstrap.processes, v3: { ...managedApp('v3'), port: await freePort() } }
    const three = { ...config, bootstrap: { ...config.bootstrap, processes }, versions: { ...config.versions, v3: { process: 'v3' } } }
    reload(baton, { ...three, candidate: 'v3' })
    await untilProbe(baton, 'ready', 'v3')
    assert.equal(await pidOf(baton, 'v1'), v1)
    await using load = startLoad({
      port: baton.publicPort,
      workers: 4,
      request: () => ({ path: '/who' }),
      check: ({ status, headers }) => (status === 200 ? null : `${status} ${headers['baton-error']}`),
    })
    const slow = send({ port: baton.publicPort, path: '/slow?ms=700' })
    await until(
      async () => (await versionOf(baton, 'v1')).inFlight > 0 && load.answered() > 10,
      () => 'no load',
    )
    const { v1: _process, ...processesLeft } = processes as Record<string, unknown>
    const { v1: _version, ...versionsLeft } = three.versions as Record<string, unknown>
    const two = { ...three, versions: versionsLeft, bootstrap: { ...three.bootstrap, processes: processesLeft } }
    reload(baton, { ...two, stable: 'v3', candidate: 'v2' })
    await until(
      () => logged(baton, 'process.stopped').some(({ version }) => version === 'v1'),
      () => baton.output(),
    )
    const { wrong, errors } = await load.stop()
    assert.deepEqual([wrong, errors], [[], {}])
    assert.equal((await slow).status, 200, 'what was under way at v1 ended')
    assert.equal(logged(baton, 'process.stopped')[0]?.exit, 'exit code 0')
    assert.ok(!baton.alive().includes(v1 ?? 0))
    assert.deepEqual((await statusOf(baton)).versions.map(({ name }) => name).sort(), ['v2', 'v3'])
    const metrics = (await baton.metrics('/metrics')).body
    assert.ok(!/^baton_version_ready\{version="v1"/m.test(metrics), 'a version that is gone has no gauge')
  })

  test('only what can be sent a request runs', async () => {
    const processes = { v1: managedApp('v1'), spare: managedApp('spare') }
    const config = { ...base, candidate: 'v1', routes: [], versions: { v1: { process: 'v1' }, spare: { process: 'spare' } } }
    await using baton = await startBaton({ config: { ...config, bootstrap: { processes } } })
    await untilProbe(baton, 'ready', 'v1')
    const { versions, idle } = await statusOf(baton)
    assert.deepEqual([versions.map(({ name }) => name), idle], [['v1'], ['spare']])
  })

  test('one whose definition changes on the same port is stopped and started, and one that stays is not', async () => {
    await using baton = await startTwo()
    const [v1, v2] = [await pidOf(baton, 'v1'), await pidOf(baton, 'v2')]
    const config = JSON.parse(baton.config) as Written
    const processes = { ...config.bootstrap.processes, v2: { ...managedApp('v2b'), port: config.bootstrap.processes.v2?.port } }
    reload(baton, { ...config, bootstrap: { ...config.bootstrap, processes } })
    const answeredBy = async (): Promise<unknown> => {
      const { body, status } = await send({ port: baton.publicPort, path: '/who', headers: { 'x-version': 'v2' } })
      return status === 200 ? (JSON.parse(body) as { version: string }).version : status
    }
    await until(
      async () => (await answeredBy()) === 'v2b',
      () => baton.output(),
    )
    assert.equal(await pidOf(baton, 'v1'), v1)
    assert.notEqual(await pidOf(baton, 'v2'), v2)
    assert.ok(!baton.alive().includes(v2 ?? 0))
  })

  test('one that does not hear SIGTERM is killed after its stop timeout; nothing is left after the end', async () => {
    const processes = { v1: { ...managedApp('v1', { STUBBORN: '1' }), stopTimeout: '300ms' }, v2: managedApp('v2') }
    await using baton = await startBaton({ config: { ...base, bootstrap: { processes } } })
    await untilProbe(baton, 'ready', 'v1', 'v2')
    assert.equal(baton.alive().length, 4)
    assert.deepEqual(await baton.stop(), { code: 0, signal: null })
    assert.deepEqual(baton.alive(), [])
    const killed = logged(baton, 'process.killed')
    assert.deepEqual(
      killed.map(({ version, after_ms }) => [version, after_ms]),
      [['v1', 300]],
    )
  })

  test('its own children end with it', async () => {
    const command = ['/bin/sh', '-c', `sleep 1000 & sleep 1001 & exec "$0" "$1"`, ...managedApp('v1').command]
    const processes = { v1: { ...managedApp('v1'), command } }
    await using baton = await startBaton({
      config: { ...base, candidate: 'v1', routes: [], versions: { v1: { process: 'v1' } }, bootstrap: { processes } },
    })
    await untilProbe(baton, 'ready', 'v1')
    assert.equal(baton.alive().length, 5)
    assert.equal((await baton.stop()).code, 0)
    assert.deepEqual(baton.alive(), [])
  })

  test('its output can go to a file', async () => {
    const processes = { v1: { ...managedApp('v1'), output: { file: 'app.log' } } }
    await using baton = await startBaton({
      config: { ...base, candidate: 'v1', routes: [], versions: { v1: { process: 'v1' } }, bootstrap: { processes } },
    })
    await untilProbe(baton, 'ready', 'v1')
    assert.match(readFileSync(join(baton.dir, 'app.log'), 'utf8'), /^v1 listening on \d+\n$/)
    assert.ok(!baton.output().includes('v1 listening on'))
  })

  test('an app behind a Unix socket', async () => {
    await using scratch = await startBaton({ config: { versions: { v1: { url: 'http://127.0.0.1:1' } }, stable: 'v1' } })
    const path = join(scratch.dir, 'app.sock')
    await using _app = await startTestApp('v1', { SOCKET: path })
    const { bootstrap } = JSON.parse(scratch.config) as Written
    reload(scratch, { bootstrap, versions: { v1: { socket: path } }, stable: 'v1', health: { http: '/healthz' } })
    await scratch.ready()
    const { status, body } = await send({ port: scratch.publicPort, method: 'POST', path: '/orders?id=1', body: 'x'.repeat(100_000) })
    assert.deepEqual([status, (JSON.parse(body) as { length: number }).length], [201, 100_000])
    assert.equal((await versionOf(scratch, 'v1')).endpoint, `unix:${path}`)
  })
})
