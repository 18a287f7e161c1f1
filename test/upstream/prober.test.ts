/** When a version is probed: fast while it is undecided, else at its interval, and at once when there is a reason to look. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { Prober } from '../../src/upstream/prober.ts'
import { Version } from '../../src/upstream/version.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { freePorts } from '../kit/free-ports.ts'
import { RawApp } from '../kit/raw-app.ts'
import { quiet, until } from '../kit/turns.ts'
import { tcp } from './settings.ts'

async function setUp(t: TestContext, { wasReady = false } = {}) {
  const app = await RawApp.listen()
  const world = new FakeWorld()
  const metrics = new Metrics()
  const version = new Version('v1', tcp(app.port), {
    world,
    wasReady,
    watcher: { probeChanged: () => {} },
    openTransport: () => ({ open: () => assert.fail(), connections: 0, close: async () => {}, destroy: () => {} }),
  })
  version.place({ is: 'tcp', address: '127.0.0.1', port: app.port })
  const prober = new Prober(version, world, metrics)
  t.after(async () => {
    prober.stop()
    await app.close()
  })
  const count = (outcome: string) => metrics.samples('baton_probes_total').find(({ labels }) => labels.outcome === outcome)?.value ?? 0
  /** So many probes have been made, and the next one is set. */
  const probes = (passed: number, failed = 0) =>
    until(
      () => count('pass') === passed && count('fail') === failed && world.timers === 1,
      () => `${passed} and ${failed}; ${count('pass')} and ${count('fail')}`,
    )
  return { app, world, version, prober, probes, count }
}

test('fast until it is ready, then at its interval', async (t) => {
  const { world, version, prober, probes } = await setUp(t)
  prober.wake()
  await probes(1)
  assert.deepEqual(world.delays, [200])
  world.advance(200)
  await probes(2)
  assert.equal(version.probe.is, 'ready')
  assert.deepEqual(world.delays, [5_000])
})

test('fast again from the first failure of a ready version on', async (t) => {
  const { app, world, version, prober, probes } = await setUp(t, { wasReady: true })
  prober.wake()
  await probes(1)
  await app.down()
  world.advance(5_000)
  await probes(1, 1)
  assert.deepEqual(world.delays, [200])
  world.advance(200)
  await probes(1, 2)
  assert.equal(version.probe.is, 'not-ready')
  assert.deepEqual(world.delays, [5_000])
  await app.up()
})

test('at once when something woke it, and no timer is left over', async (t) => {
  const { world, prober, probes } = await setUp(t, { wasReady: true })
  prober.wake()
  await probes(1)
  world.advance(1_000)
  prober.wake()
  await probes(2)
  assert.deepEqual(world.delays, [5_000])
})

test('soon when exchanges failed, but not more often than at the fast interval, however many fail', async (t) => {
  const { world, prober, probes, count } = await setUp(t, { wasReady: true })
  prober.wake()
  await probes(1)
  for (let each = 0; each < 100; each += 1) {
    prober.suspect()
    await quiet(1)
  }
  await quiet()
  assert.equal(count('pass'), 1)
  assert.deepEqual(world.delays, [200])
  world.advance(200)
  await probes(2)
  world.advance(1_000)
  prober.suspect()
  await probes(3)
})

test('again for the place that it moved to while the former one was probed', async (t) => {
  const { app, version, prober, probes } = await setUp(t, { wasReady: true })
  const [nobody = 0] = await freePorts(1)
  version.place({ is: 'tcp', address: '127.0.0.1', port: nobody })
  prober.wake()
  version.place({ is: 'tcp', address: '127.0.0.1', port: app.port })
  prober.wake()
  await probes(1)
  assert.equal(version.undecided, false, 'the refused probe of the former place is not counted')
})

test('a version without a place is asked nothing, and looked at again', async (t) => {
  const { app, world, version, prober, probes } = await setUp(t)
  version.place(null)
  prober.wake()
  await until(() => world.timers === 1, 'the next look is set')
  assert.equal(app.connections.length, 0)
  version.place({ is: 'tcp', address: '127.0.0.1', port: app.port })
  world.advance(200)
  await probes(1)
})

test('stopped, it asks nothing more and says nothing more', async (t) => {
  const { world, version, prober, count } = await setUp(t)
  prober.wake()
  prober.stop()
  prober.wake()
  await quiet()
  assert.deepEqual([count('pass'), count('fail'), world.timers, version.probe.is], [0, 0, 0, 'starting'])
})
