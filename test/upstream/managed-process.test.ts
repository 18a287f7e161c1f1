/** A process that baton keeps running: what it asks the keeper for, and when. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ProcessSettings } from '../../src/config/settings.ts'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { appName, ManagedProcess } from '../../src/upstream/managed-process.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { FakeApps } from './fake-apps.ts'
import { processOf } from './settings.ts'

function create(given: Partial<ProcessSettings> = {}) {
  const world = new FakeWorld()
  const apps = new FakeApps()
  const metrics = new Metrics()
  const records: LogRecord[] = []
  const heard: string[] = []
  const process = new ManagedProcess('v1', 'app', processOf(3001, given), {
    apps,
    world,
    metrics,
    log: createLog(world, 'debug', [(record) => void records.push(record)]),
    watcher: {
      started: (pid, adopted) => void heard.push(`${adopted ? 'adopted' : 'started'} ${pid}`),
      exited: (reason) => void heard.push(reason),
    },
  })
  const { app } = process
  const listed = () => {
    apps.runs(app)
    process.listed()
  }
  const ended = (exit?: Parameters<FakeApps['ends']>[1]) => process.exited(apps.ends(app, exit))
  return { world, apps, metrics, records, heard, process, app, listed, ended }
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))])
}

describe('its name with the keeper', () => {
  test('is the same for the same definition, and another for another', () => {
    const name = (given: Partial<ProcessSettings>) => appName('app', processOf(3001, given))
    assert.equal(name({}), name({}))
    const others = [
      { command: ['node'] },
      { env: { A: '1' } },
      { cwd: '/' },
      { port: 3002 },
      { output: { is: 'file', path: '/x' } as const },
    ]
    assert.equal(new Set([name({}), ...others.map(name)]).size, others.length + 1)
  })
  test('does not change with how long it may take to stop', () => {
    assert.equal(appName('app', processOf(1, { stopTimeoutMs: 1 })), appName('app', processOf(1, { stopTimeoutMs: 2 })))
  })
})

describe('a start', () => {
  test('is asked of the keeper, once, with PORT in the environment, which the configuration may override', () => {
    const { process, apps, app } = create({ env: { A: '1' } })
    process.start()
    process.start()
    assert.deepEqual(apps.told, [`start ${app}`])
    assert.deepEqual(apps.started[0]?.env, { PORT: '3001', A: '1' })
    const other = create({ env: { PORT: '9' } })
    other.process.start()
    assert.deepEqual(other.apps.started[0]?.env, { PORT: '9' })
  })

  test('is over when the keeper lists it', () => {
    const { process, heard, listed } = create()
    process.listed()
    process.start()
    process.listed()
    assert.equal(process.pid, null)
    listed()
    listed()
    assert.deepEqual([heard, process.pid], [['started 101'], 101])
  })

  test('of one that runs already is its adoption', () => {
    const { process, apps, app, heard } = create()
    apps.runs(app)
    process.start()
    assert.deepEqual([apps.told, heard, process.pid], [[], ['adopted 101'], 101])
  })
})

describe('an end that nobody asked for', () => {
  test('is told, counted, and followed by another start after a time that doubles up to ten seconds', () => {
    const { process, world, apps, metrics, heard, listed, ended } = create()
    process.start()
    const delays: number[] = []
    for (let each = 0; each < 9; each += 1) {
      listed()
      ended({ code: 1 })
      delays.push(world.delays[0] ?? 0)
      world.advance(world.delays[0] ?? 0)
    }
    assert.deepEqual(delays, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
    assert.equal(apps.told.length, 10)
    assert.equal(heard.filter((what) => what === 'exit code 1').length, 9)
    assert.equal(process.restarts, 9)
    assert.deepEqual(metrics.samples('baton_process_exits_total'), [{ labels: { version: 'v1' }, value: 9 }])
  })

  test('begins the doubling anew when it was up for a minute', () => {
    const { process, world, listed, ended } = create()
    process.start()
    for (const upMs of [0, 0, 60_001]) {
      listed()
      world.advance(upMs)
      ended({ signal: 'SIGSEGV' })
      if (upMs === 0) world.advance(world.delays[0] ?? 0)
    }
    assert.deepEqual(world.delays, [100])
  })

  test('before it ever ran is told with its reason, and tried again', () => {
    const { process, world, heard, records, ended } = create()
    process.start()
    ended({ error: 'spawn nope ENOENT' })
    assert.deepEqual([heard, world.delays], [['could not be started: spawn nope ENOENT'], [100]])
    assert.ok(records.some(({ event, level }) => event === 'process.exited' && level === 'error'))
  })
})

describe('a stop', () => {
  test('is SIGTERM, and over when the process is', async () => {
    const { process, apps, app, world, heard, listed, ended } = create()
    process.start()
    listed()
    const stopped = process.stop()
    assert.deepEqual(apps.told, [`start ${app}`, `SIGTERM ${app}`])
    assert.equal(await isSettled(stopped), false)
    ended({ signal: 'SIGTERM' })
    await stopped
    assert.deepEqual([world.timers, heard, process.pid], [0, ['started 101'], null])
  })

  test('becomes SIGKILL when it takes longer than its time', async () => {
    const { process, apps, app, world, listed, ended } = create({ stopTimeoutMs: 700 })
    process.start()
    listed()
    const stopped = process.stop()
    world.advance(699)
    assert.equal(apps.told.length, 2)
    world.advance(1)
    assert.equal(apps.told[2], `SIGKILL ${app}`)
    ended({ signal: 'SIGKILL' })
    await stopped
  })

  test('ends even if nobody ever tells of the end', async () => {
    const { process, world, records } = create({ stopTimeoutMs: 700 })
    process.start()
    const stopped = process.stop()
    world.advance(60_000)
    assert.equal(await isSettled(stopped), true)
    assert.ok(records.some(({ event, level }) => event === 'process.lost' && level === 'error'))
  })

  test('before the keeper has listed it is a stop all the same', async () => {
    const { process, apps, app, listed, ended } = create()
    process.start()
    const stopped = process.stop()
    listed()
    assert.deepEqual(apps.told, [`start ${app}`, `SIGTERM ${app}`])
    ended()
    await stopped
    assert.equal(process.pid, null)
  })

  test('while it waits for its next start is at once, and there is no next start', async () => {
    const { process, apps, world, listed, ended } = create()
    process.start()
    listed()
    ended({ code: 1 })
    await process.stop()
    world.advance(60_000)
    assert.equal(apps.told.length, 1)
  })

  test('of one that never started is nothing', async () => {
    const { process, apps } = create()
    await process.stop()
    assert.deepEqual(apps.told, [])
  })

  test('said twice is one, and both hear of its end', async () => {
    const { process, apps, listed, ended } = create()
    process.start()
    listed()
    const both = Promise.all([process.stop(), process.stop()])
    ended()
    await both
    assert.equal(apps.told.length, 2)
  })

  test('can be followed by another start', async () => {
    const { process, apps, app, listed, ended } = create()
    process.start()
    listed()
    const stopped = process.stop()
    ended()
    await stopped
    process.start()
    assert.equal(apps.told.at(-1), `start ${app}`)
  })
})
