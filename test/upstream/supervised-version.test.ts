/** A version with its resolver: what becomes of its place when its name moves, fails, or leads where baton may not go. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { SupervisedVersion } from '../../src/upstream/supervised-version.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { RawApp } from '../kit/raw-app.ts'
import { until } from '../kit/turns.ts'
import { FakeApps } from './fake-apps.ts'
import { bootstrapOf, tcp } from './settings.ts'

async function create(t: TestContext, host: string, allowUpstreams: readonly string[]) {
  const app = await RawApp.listen()
  const world = new FakeWorld()
  const metrics = new Metrics()
  const records: LogRecord[] = []
  const supervised = new SupervisedVersion('v1', tcp(app.port, { successThreshold: 1 }, host), bootstrapOf({}, allowUpstreams), false, {
    world,
    metrics,
    apps: new FakeApps(),
    resolveMs: 5_000,
    log: createLog(world, 'debug', [(record) => void records.push(record)]),
    watcher: { probeChanged: () => {} },
    openTransport: () => ({ open: () => assert.fail(), connections: 0, close: async () => {}, destroy: () => {} }),
  })
  t.after(async () => {
    await supervised.stop('stop', { graceMs: 0, deadlineMs: 0 })
    assert.equal(world.timers, 0)
    await app.close()
  })
  supervised.start()
  const resolved = (outcome: string, count: number) =>
    until(() => {
      const found = metrics.samples('baton_resolutions_total').find(({ labels }) => labels.outcome === outcome)
      return (found?.value ?? 0) >= count
    }, `${outcome} ${count} times`)
  return { world, metrics, records, supervised, resolved }
}

test('serves at the address that its name has', async (t) => {
  const { supervised } = await create(t, 'localhost', ['loopback'])
  const { version } = supervised
  await until(() => version.endpoint !== null, 'it has a place')
})

test('has no place, and says why, while its name leads where baton may not go', async (t) => {
  const { supervised, records, resolved } = await create(t, 'localhost', ['10.0.0.0/8'])
  await resolved('refused', 1)
  assert.deepEqual([supervised.version.endpoint, supervised.version.serving], [null, false])
  const [warning] = records.filter(({ event }) => event === 'version.address_refused')
  assert.equal(warning?.level, 'warn')
  assert.match(String(warning?.fields.hint), /allowUpstreams/)
})

test('has no place, and says why, while its name cannot be found', async (t) => {
  const { supervised, records, resolved } = await create(t, 'nowhere.invalid', ['nowhere.invalid'])
  await resolved('failed', 1)
  assert.equal(supervised.version.endpoint, null)
  assert.ok(records.some(({ event, level }) => event === 'version.unresolved' && level === 'warn'))
})
