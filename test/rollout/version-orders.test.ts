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
  /** What was done, in its order. */
  const did: string[] = []
  const state = { ready: true, full: false }
  const versions = {
    apply: () => undefined,
    isServing: () => true,
    isReady: () => state.ready,
    whyNotServing: () => 'v1 is not ready',
    drain: async () => undefined,
    undrain: (name: string) => void did.push(`undrain ${name}`),
    retire: async (name: string) => void retired.push(name),
  }
  const write = async () => {
    if (state.full) throw new Error('ENOSPC')
    did.push('write')
  }
  const spare = { version: 'v1', until: world.now() + 100 }
  const upgrade = upgradeAt({ phase: 'done' })
  const ledger: Ledger = { v: 1, stable: 'v2', configuredStable: 'v1', retired: [], drained: [], spare, upgrade }
  const keeper = new LedgerKeeper(ledger, { write })
  const orders = new VersionOrders({
    world,
    log: createLog(world, 'info', []),
    keeper,
    versions,
    route: () => void did.push('route'),
    dynamic: () => dynamic,
  })
  return { world, keeper, orders, retired, did, state }
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

  test('is stopped once the journal can be written again, where it could not when its time had passed', async () => {
    const { world, keeper, orders, retired, state } = setUp()
    state.full = true
    orders.watchSpare()
    for (let look = 0; look < 3; look += 1) {
      world.advance(1_000)
      await keeper.idle()
    }
    assert.deepEqual([retired, keeper.ledger.spare?.version], [[], 'v1'])
    state.full = false
    world.advance(1_000)
    await keeper.idle()
    await keeper.idle()
    assert.deepEqual([retired, keeper.ledger.spare], [['v1'], null])
    world.advance(1_000)
    assert.deepEqual([retired, world.timers], [['v1'], 0])
  })

  test('is stopped for good, in the same record, when another takes its place', async () => {
    const { keeper, orders, retired, did } = setUp()
    await orders.keepAsSpare('v2', 1_000, () => true)
    assert.deepEqual([retired, keeper.ledger.retired, keeper.ledger.spare?.version], [['v1'], ['v1'], 'v2'])
    assert.deepEqual(did, ['write'])
    orders.close()
  })

  test('stays where it is kept once more', async () => {
    const { world, keeper, orders, retired } = setUp()
    await orders.keepAsSpare('v1', 1_000, () => true)
    assert.deepEqual([retired, keeper.ledger.spare], [[], { version: 'v1', until: world.now() + 1_000 }])
    orders.close()
  })

  test('that is undrained is none any more, and serves', async () => {
    const { keeper, orders, did } = setUp()
    assert.equal((await orders.undrain('v1')).is, 'accepted')
    assert.deepEqual([keeper.ledger.spare, did], [null, ['write', 'undrain v1', 'route']])
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

describe('a way back to a warm spare', () => {
  test('is journaled before the spare takes an exchange, and it does before traffic goes there', async () => {
    const { keeper, orders, did } = setUp()
    await keeper.inTurn(() => orders.rollBackToSpare())
    assert.deepEqual(did, ['write', 'undrain v1', 'route'])
  })

  test('is refused where the spare is not ready', async () => {
    const { keeper, orders, did, state } = setUp()
    state.ready = false
    assert.deepEqual(await keeper.inTurn(() => orders.rollBackToSpare()), { is: 'refused', reason: 'v1 is not ready' })
    assert.deepEqual([did, keeper.ledger.stable], [[], 'v2'])
  })

  test('changes nothing where the journal cannot be written', async () => {
    const { keeper, orders, did, state } = setUp()
    state.full = true
    await assert.rejects(
      keeper.inTurn(() => orders.rollBackToSpare()),
      /ENOSPC/,
    )
    assert.deepEqual(did, [])
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
