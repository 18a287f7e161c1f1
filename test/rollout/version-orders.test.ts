/** Orders of one version that meet one another: each is decided in its turn, by what the ledger says then. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Ledger } from '../../src/rollout/ledger.ts'
import { LedgerKeeper } from '../../src/rollout/ledger-keeper.ts'
import { VersionOrders } from '../../src/rollout/version-orders.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { parse } from '../config/fixture.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { upgradeAt } from './upgrade-fixture.ts'

const { dynamic } = parse('versions: { v1: { url: "http://127.0.0.1:1" }, v2: { url: "http://127.0.0.1:2" } }\nstable: v1\n')

/** v1 was upgraded to v2 and is kept for another 100 ms. */
function setUp() {
  const world = new FakeWorld()
  const retired: string[] = []
  const versions = {
    apply: () => undefined,
    isServing: () => true,
    whyNotServing: () => '',
    drain: async () => 0,
    undrain: () => undefined,
    retire: async (name: string) => void retired.push(name),
  }
  const spare = { version: 'v1', until: world.now() + 100 }
  const upgrade = upgradeAt({ phase: 'done' })
  const ledger: Ledger = { v: 1, stable: 'v2', configuredStable: 'v1', retired: [], drained: [], spare, upgrade }
  const keeper = new LedgerKeeper(ledger, { write: async () => undefined })
  const orders = new VersionOrders({
    world,
    log: createLog(world, 'info', []),
    keeper,
    versions,
    route: () => undefined,
    dynamic: () => dynamic,
  })
  return { world, keeper, orders, retired }
}

describe('a warm spare', () => {
  test('is stopped for good when its time has passed', async () => {
    const { world, keeper, orders, retired } = setUp()
    orders.watchSpare()
    world.advance(100)
    await keeper.idle()
    await keeper.idle()
    assert.deepEqual([retired, keeper.ledger.retired, keeper.ledger.spare], [['v1'], ['v1'], null])
  })

  test('that was rolled back to in the moment before is not: it is stable', async () => {
    const { world, keeper, orders, retired } = setUp()
    orders.watchSpare()
    const back = keeper.inTurn(() => orders.rollBackToSpare())
    world.advance(100)
    assert.equal((await back).is, 'accepted')
    await keeper.idle()
    assert.deepEqual([keeper.ledger.stable, keeper.ledger.retired, retired], ['v1', [], []])
  })
})

describe('the end of a version', () => {
  test('that nobody wants any more when its turn comes does not happen', async () => {
    const { keeper, orders, retired } = setUp()
    await orders.stopForGood('v1', () => false)
    assert.deepEqual([retired, keeper.ledger.retired], [[], []])
    await orders.keepAsSpare('v2', 1_000, () => false)
    assert.equal(keeper.ledger.spare?.version, 'v1')
  })
})

describe('an order of a version that is not configured', () => {
  for (const name of ['v9', 'constructor']) {
    test(`is unknown: ${name}`, async () => {
      const { orders } = setUp()
      const outcomes = [orders.stable(name), orders.drain(name, true), orders.undrain(name), orders.retire(name, true)]
      for (const outcome of await Promise.all(outcomes)) assert.deepEqual(outcome, { is: 'unknown', what: `version ${name}` })
    })
  }
})
