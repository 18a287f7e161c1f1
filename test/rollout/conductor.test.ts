/** What the conductor says to an order before anything moves. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Conductor } from '../../src/rollout/conductor.ts'
import type { Ledger } from '../../src/rollout/ledger.ts'
import { LedgerKeeper } from '../../src/rollout/ledger-keeper.ts'
import type { VersionControl } from '../../src/rollout/version-control.ts'
import { VersionOrders } from '../../src/rollout/version-orders.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { parse } from '../config/fixture.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { traffic } from './verdict-fixture.ts'

const { dynamic } = parse('versions: { v1: { url: "http://127.0.0.1:1" }, v2: { url: "http://127.0.0.1:2" } }\nstable: v1\n')

const versions: VersionControl = {
  apply: () => undefined,
  runs: () => true,
  isServing: () => true,
  whyNotServing: () => '',
  drain: async () => 0,
  undrain: () => undefined,
  retire: async () => undefined,
  requests: () => 0,
  failures: () => 0,
  latency: () => null,
  traffic: () => traffic({}),
  cpu: () => null,
  sampleCpu: () => undefined,
  notReadyMs: () => 0,
  exits: () => 0,
  pid: () => null,
}

function setUp(): Conductor {
  const ledger: Ledger = { v: 1, stable: 'v1', configuredStable: 'v1', retired: [], drained: [], spare: null, upgrade: null }
  const world = new FakeWorld()
  const keeper = new LedgerKeeper(ledger, { write: async () => undefined })
  const shared = { world, log: createLog(world, 'info', []), keeper, versions, route: () => undefined, dynamic: () => dynamic }
  return new Conductor({
    ...shared,
    metrics: new Metrics(),
    journal: { append: async () => undefined, entries: async () => [] },
    keepReceipt: async () => undefined,
    orders: new VersionOrders(shared),
    warm: async () => undefined,
    hold: () => undefined,
    release: () => undefined,
    keeperLost: () => false,
  })
}

describe('an upgrade to what is not configured is unknown', () => {
  // each object has members of these names, and no configuration has them
  for (const name of ['v9', 'constructor', 'toString', '__proto__']) {
    test(`the version ${name}`, async () => {
      assert.deepEqual(await setUp().begin(name, null), { is: 'unknown', what: `version ${name}` })
    })
    test(`the plan ${name}`, async () => {
      assert.deepEqual(await setUp().begin('v2', name), { is: 'unknown', what: `plan ${name}` })
    })
  }
})
