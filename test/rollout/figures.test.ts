/** What a receipt counts, from what the data plane and the drains have counted. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Figures } from '../../src/rollout/figures.ts'
import { versionControl } from '../../src/rollout/version-control.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { Versions } from '../../src/upstream/versions.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { FakeApps } from '../upstream/fake-apps.ts'
import { upgradeAt } from './upgrade-fixture.ts'

function setUp() {
  const world = new FakeWorld()
  const metrics = new Metrics()
  const log = createLog(world, 'info', [])
  const openTransport = () => assert.fail('nothing is called here')
  const parts = { world, metrics, log, apps: new FakeApps(), resolveMs: 5_000, openTransport, remembered: {}, remember: () => undefined }
  const versions = new Versions(parts)
  const control = versionControl(
    () => versions,
    metrics,
    world,
    () => undefined,
  )
  const done = upgradeAt({ phase: 'done' })
  const fault = (version: string, code: string) => metrics.add('baton_faults_total', 1, version, code)
  fault('v1', 'connect-failed')
  fault('-', 'not-serving')
  metrics.add('graceful_shutdown_failures_total', 4, 'v1', 'request')
  const figures = new Figures(done, control)
  return { metrics, fault, measured: () => figures.measured(done) }
}

describe('what an upgrade could not answer', () => {
  test('is what failed at its two versions since it began', () => {
    const { fault, measured } = setUp()
    assert.equal(measured().failed, 0)
    fault('v1', 'upstream-reset')
    fault('v2', 'connect-failed')
    fault('v3', 'connect-failed')
    assert.equal(measured().failed, 2)
  })

  test('is what found no version serving as well, or waited in vain', () => {
    const { fault, measured } = setUp()
    fault('-', 'not-serving')
    fault('-', 'queue-timeout')
    assert.equal(measured().failed, 2)
  })

  test("is not a client's own fault", () => {
    const { fault, measured } = setUp()
    fault('-', 'client-gone')
    fault('v2', 'client-timeout')
    assert.equal(measured().failed, 0)
  })
})

test('what a drain cut is counted once, however often the drain is asked for', () => {
  const { metrics, measured } = setUp()
  metrics.add('graceful_shutdown_failures_total', 2, 'v1', 'request')
  metrics.add('graceful_shutdown_failures_total', 1, 'v2', 'tunnel')
  metrics.add('graceful_shutdown_failures_total', 1, 'v3', 'request')
  assert.equal(measured().cut, 3)
})
