/** What the conductor says to an order, writes, does and tells, over versions that do at once as they are told. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Conductor } from '../../src/rollout/conductor.ts'
import { rolloutControl } from '../../src/rollout/control.ts'
import type { JournalEntry } from '../../src/rollout/journal.ts'
import { ledBy } from '../../src/rollout/led.ts'
import type { Ledger } from '../../src/rollout/ledger.ts'
import { LedgerKeeper } from '../../src/rollout/ledger-keeper.ts'
import type { Receipt } from '../../src/rollout/receipt.ts'
import { stableOf } from '../../src/rollout/roles.ts'
import type { Pid, Upgrade } from '../../src/rollout/upgrade.ts'
import type { VersionControl } from '../../src/rollout/version-control.ts'
import { VersionOrders } from '../../src/rollout/version-orders.ts'
import type { Warmed } from '../../src/rollout/warmed.ts'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { parse } from '../config/fixture.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { quiet, until } from '../kit/turns.ts'
import { ordered, plan, planStep, upgradeAt } from './upgrade-fixture.ts'
import { traffic } from './verdict-fixture.ts'

const { dynamic } = parse(
  `versions: { v1: { url: "http://127.0.0.1:1" }, v2: { url: "http://127.0.0.1:2" } }
stable: v1
rollout: { analysis: { hardStops: { notReady: 1s } } }
`,
)

const fresh: Ledger = { v: 1, stable: 'v1', configuredStable: 'v1', retired: [], drained: [], spare: null, upgrade: null }

function setUp(change: Partial<Ledger> = {}) {
  const world = new FakeWorld()
  /** What was written and done, in its order. */
  const did: string[] = []
  const written: Ledger[] = []
  const records: LogRecord[] = []
  const receipts: Receipt[] = []
  const state = {
    full: false,
    looks: 0,
    exits: 0,
    serving: true,
    pids: { v1: 4_001, v2: 4_002 } as Record<string, Pid | null>,
    keep: Promise.resolve(),
    warm: async (): Promise<Warmed> => ({ is: 'none' }),
    drained: Promise.resolve(),
  }
  const versions: VersionControl = {
    apply: () => undefined,
    runs: () => true,
    isServing: () => state.serving,
    isReady: () => true,
    whyNotServing: () => '',
    drain: () => state.drained,
    undrain: (name) => void did.push(`undrain ${name}`),
    retire: async (name) => {
      state.pids[name] = null
    },
    requests: () => 0,
    failures: () => 0,
    cuts: () => 0,
    latency: () => null,
    traffic: () => {
      state.looks += 1
      return traffic({ requests: 0 })
    },
    cpu: () => null,
    sampleCpu: (names) => void did.push(`sample ${names}`),
    notReadyMs: () => 0,
    exits: () => state.exits,
    pid: (name) => state.pids[name] ?? null,
  }
  const write = async (next: Ledger) => {
    if (state.full) throw new Error('ENOSPC')
    written.push(next)
    did.push('write')
  }
  const keeper = new LedgerKeeper({ ...fresh, ...change }, { write })
  const log = createLog(world, 'info', [(record) => void records.push(record)])
  const shared = { world, log, keeper, versions, route: () => void did.push('route'), dynamic: () => dynamic }
  const entries: JournalEntry[] = []
  const conductor = new Conductor({
    ...shared,
    metrics: new Metrics(),
    journal: { append: async (_, entry) => void entries.push(entry), entries: async () => entries },
    keepReceipt: async (receipt) => {
      await state.keep
      receipts.push(receipt)
    },
    orders: new VersionOrders(shared),
    warm: () => state.warm(),
    hold: () => undefined,
    release: () => undefined,
    keeperLost: () => false,
  })
  return { world, conductor, keeper, did, written, records, receipts, state }
}

/** A ledger in which it stands there. */
const standing = (upgrade: Upgrade) => ({ stable: stableOf(upgrade), upgrade })

describe('an upgrade to what is not configured is unknown', () => {
  // each object has members of these names, and no configuration has them
  for (const name of ['v9', 'constructor', 'toString', '__proto__']) {
    test(`the version ${name}`, async () => {
      assert.deepEqual(await setUp().conductor.begin(name, null), { is: 'unknown', what: `version ${name}` })
    })
    test(`the plan ${name}`, async () => {
      assert.deepEqual(await setUp().conductor.begin('v2', name), { is: 'unknown', what: `plan ${name}` })
    })
  }
})

describe('an upgrade that begins', () => {
  test('is journaled, with all that was ordered of its new version before taken back, before anything is done', async () => {
    const { conductor, did, written } = setUp({ drained: ['v2'] })
    assert.equal((await conductor.begin('v2', null)).is, 'accepted')
    assert.deepEqual(did.slice(0, 2), ['write', 'sample v1,v2'])
    assert.deepEqual([written[0]?.drained, written[0]?.upgrade?.to], [[], 'v2'])
    assert.ok(did.includes('undrain v2'))
    await conductor.stop()
  })

  test('leaves nothing behind where it cannot be journaled', async () => {
    const { conductor, keeper, did, state, world } = setUp()
    state.full = true
    await assert.rejects(conductor.begin('v2', null), /ENOSPC/)
    assert.deepEqual([did, world.timers, keeper.running], [[], 0, null])
  })
})

describe('a warm-up that outlives its upgrade', () => {
  const coverage = { keys: 1, bytes: 1, coverage: 0.1, predicted: null, tookMs: 1 }
  for (const is of ['warm', 'short', 'refused'] as const) {
    test(`and ends as ${is} says nothing of the next one`, async () => {
      const { conductor, keeper, records, state, receipts, world } = setUp()
      const warms = [Promise.withResolvers<Warmed>(), Promise.withResolvers<Warmed>()] as const
      let begun = 0
      state.warm = () => warms[begun++ === 0 ? 0 : 1].promise
      await conductor.begin('v2', null)
      await until(() => begun === 1, 'the first warms')
      await conductor.order('rollback', 'operator')
      await until(() => keeper.running === null, 'the first is over')
      world.drawn = 0.25
      await conductor.begin('v2', null)
      await until(() => begun === 2, 'the second warms')
      warms[0].resolve({ is, detail: 'of the first', coverage })
      await quiet()
      assert.deepEqual([keeper.running?.phase, keeper.running?.seq], ['warm', 4])
      assert.deepEqual(
        records.filter(({ event }) => event === 'upgrade.cold' || event === 'upgrade.action_failed'),
        [],
      )
      await conductor.order('rollback', 'operator')
      await until(() => receipts.length === 2, 'the second is over')
      assert.equal(receipts[1]?.warm, null)
      await conductor.stop()
    })
  }
})

describe('the end of an upgrade', () => {
  const ending = standing(upgradeAt({ phase: 'stop-old', todo: 'stop', frozen: null }))

  test('routes once', async () => {
    const { conductor, did, keeper } = setUp(ending)
    await conductor.recover()
    did.length = 0
    await quiet()
    assert.equal(keeper.ledger.upgrade?.phase, 'done')
    assert.deepEqual(
      did.filter((each) => each === 'route'),
      ['route'],
    )
    await conductor.stop()
  })

  test('is waited for with its receipt by who stops baton', async () => {
    const { conductor, keeper, receipts, state } = setUp(ending)
    const { promise, resolve } = Promise.withResolvers<void>()
    state.keep = promise
    await conductor.recover()
    await quiet()
    assert.equal(keeper.ledger.upgrade?.phase, 'done')
    let stopped = false
    const stop = conductor.stop().then(() => (stopped = true))
    await quiet()
    assert.deepEqual([stopped, receipts.length], [false, 0])
    resolve()
    await stop
    assert.equal(receipts[0]?.result, 'done')
  })

  test('is told with whom the old version was as it began, and whom the new one was', async () => {
    const { conductor, records } = setUp(standing(upgradeAt({ phase: 'stop-old', todo: 'drain', frozen: null })))
    await conductor.recover()
    await quiet()
    await conductor.stop()
    const told = records.filter(({ event }) => event.startsWith('upgrade.'))
    assert.deepEqual([...new Set(told.map(({ fields }) => `${fields.old_pid} ${fields.new_pid}`))], ['4001 4002'])
    assert.equal(told.at(-1)?.event, 'upgrade.concluded')
  })

  test('that went back is told so too', async () => {
    const { conductor, records } = setUp(standing(upgradeAt({ phase: 'rollback', todo: 'stop', why: ordered })))
    await conductor.recover()
    await quiet()
    await conductor.stop()
    const last = records.at(-1)
    assert.deepEqual([last?.event, last?.fields.old_pid, last?.fields.new_pid], ['upgrade.concluded', 4_001, 4_002])
  })
})

test('a new version that does not serve for the configured time freezes the end of the old one', async () => {
  const { conductor, keeper, state, world } = setUp(standing(upgradeAt({ phase: 'stop-old', todo: 'drain', frozen: null })))
  state.drained = new Promise(() => undefined)
  await conductor.recover()
  state.serving = false
  world.advance(900)
  await quiet()
  const frozen = () => (keeper.running?.phase === 'stop-old' ? keeper.running.frozen?.code : 'moved')
  assert.equal(frozen(), undefined)
  world.advance(300)
  await quiet()
  assert.equal(frozen(), 'candidate-lost')
  await conductor.stop()
})

describe('a plan that may not advance', () => {
  const steps = [planStep({ weight: 10, forMs: 1_000, minRequests: 0 })]
  const waiting = (world: FakeWorld): Upgrade => ({
    ...upgradeAt({ phase: 'shift', step: 0, mode: { is: 'running' }, degrades: 0 }, { plan: plan({ steps }) }),
    since: world.now(),
  })

  test('is looked at twice a second, beside the looks of the analysis', async () => {
    const { conductor, state, world } = setUp(standing(waiting(new FakeWorld())))
    await conductor.recover()
    world.advance(2_000)
    const before = state.looks
    world.advance(10_000)
    // three measurements a look
    assert.ok((state.looks - before) / 3 <= 42, `${(state.looks - before) / 3} looks`)
    await conductor.stop()
  })

  test('goes back once the journal can be written again, and has piled nothing up till then', async () => {
    const { conductor, keeper, records, state, world } = setUp(standing(waiting(new FakeWorld())))
    await conductor.recover()
    state.full = true
    state.exits = 1
    const looks = async (seconds: number) => {
      for (let each = 0; each < seconds; each += 1) {
        world.advance(1_000)
        await quiet(5)
      }
    }
    await looks(2)
    const before = world.timers
    await looks(20)
    assert.equal(world.timers, before)
    state.full = false
    await looks(2)
    assert.equal(keeper.ledger.upgrade?.phase, 'rolled-back')
    await conductor.stop()
    const told = records.filter(({ event }) => event.startsWith('upgrade.'))
    for (const event of ['upgrade.verdict', 'upgrade.not_journaled'])
      assert.ok(
        told.some((record) => record.event === event),
        event,
      )
    for (const { event, fields } of told) assert.deepEqual([fields.old_pid, fields.new_pid], [4_001, 4_002], event)
  })
})

describe('promote', () => {
  const steps = [10, 50, 100].map((weight) => planStep({ weight, manual: true }))
  const atStep = (step: number) =>
    standing(upgradeAt({ phase: 'shift', step, mode: { is: 'running' }, degrades: 0 }, { plan: plan({ steps }) }))

  test('said by two who saw the same step ends it once', async () => {
    const { conductor, keeper } = setUp(atStep(0))
    const outcomes = await Promise.all([conductor.promote(0, 'operator'), conductor.promote(0, 'operator')])
    assert.deepEqual(
      outcomes.map(({ is }) => is),
      ['accepted', 'unchanged'],
    )
    assert.equal(keeper.running?.phase === 'shift' && keeper.running.step, 1)
    await conductor.stop()
  })

  test('of the last step changes nothing once that is over', async () => {
    const { conductor, keeper } = setUp(atStep(2))
    assert.equal((await conductor.promote(2, 'operator')).is, 'accepted')
    assert.equal((await conductor.promote(2, 'operator')).is, 'unchanged')
    await quiet()
    assert.equal(keeper.ledger.upgrade?.phase, 'done')
    assert.equal((await conductor.promote(2, 'operator')).is, 'unchanged')
    await conductor.stop()
  })

  test('of a step that has not begun is refused, and where there is no upgrade', async () => {
    const { conductor } = setUp(atStep(0))
    assert.deepEqual(await conductor.promote(1, 'operator'), {
      is: 'refused',
      reason: 'upgrade upg-20261124-abcd stands at step 0, before 1',
    })
    await conductor.stop()
    for (const meant of [null, 0]) assert.equal((await setUp().conductor.promote(meant, 'operator')).is, 'refused')
  })
})

describe('an upgrade that a fleet leads', () => {
  const joined = {
    id: 'upg-20261124-zzzz',
    to: 'v2',
    plan: plan({ steps: [planStep({ weight: 50 }), planStep({ is: 'bake', weight: 100 })] }),
  }

  test('has its name, knows that it is led, and no step of it ends by itself', async () => {
    const { conductor, keeper } = setUp()
    const led = ledBy(conductor, keeper)
    assert.equal((await led.join(joined)).is, 'accepted')
    assert.equal((await led.join(joined)).is, 'unchanged')
    assert.deepEqual([keeper.running?.id, keeper.running?.led, led.standing().isLed], [joined.id, true, true])
    assert.deepEqual(
      keeper.running?.plan.steps.map(({ manual }) => manual),
      [true, true],
    )
    await conductor.stop()
  })

  test('does not begin beside another one', async () => {
    const { conductor, keeper } = setUp(standing(upgradeAt({ phase: 'warm' })))
    assert.equal((await ledBy(conductor, keeper).join(joined)).is, 'refused')
    await conductor.stop()
  })

  test('to what no configuration here has goes back at once', async () => {
    for (const to of ['v9', 'constructor']) {
      const { conductor, keeper } = setUp()
      const led = ledBy(conductor, keeper)
      await led.join({ ...joined, to })
      await quiet()
      const { upgrade, stable } = led.standing()
      assert.deepEqual([upgrade?.phase, upgrade?.why, stable], ['rolled-back', `no version ${to} is configured`, 'v1'])
      await conductor.stop()
    }
  })

  test('has as evidence the verdict that took it back, and none where something else did', async () => {
    const shift = { phase: 'shift', step: 0, mode: { is: 'running' }, degrades: 0 } as const
    const { conductor, keeper, state, world } = setUp(standing(upgradeAt(shift)))
    await conductor.recover()
    state.exits = 1
    world.advance(500)
    await quiet()
    const judged = ledBy(conductor, keeper).standing()
    assert.deepEqual([judged.upgrade?.why, judged.evidence?.level], ['its process ended by itself', 'L1'])
    await conductor.stop()

    const other = setUp(standing(upgradeAt(shift)))
    await other.conductor.recover()
    await other.conductor.order('rollback', 'operator')
    const ordered = ledBy(other.conductor, other.keeper).standing()
    assert.deepEqual([ordered.upgrade?.why, ordered.evidence], ['ordered by the operator', null])
    await other.conductor.stop()
  })

  test('takes of the orders here the rollback alone', async () => {
    const upgrade = { ...upgradeAt({ phase: 'shift', step: 0, mode: { is: 'running' }, degrades: 0 }), led: true }
    const { conductor, keeper } = setUp(standing(upgrade))
    const unused = () => assert.fail('not asked for')
    const journal = { history: unused, entries: unused, receipt: unused }
    const control = rolloutControl({ conductor, keeper, journal, orders: {} as VersionOrders, holding: unused })
    const refused = { is: 'refused', reason: `upgrade ${upgrade.id} is the fleet's: add --fleet -c FILE` }
    for (const order of ['pause', 'resume'] as const) assert.deepEqual(await control.order(order), refused)
    assert.deepEqual(await control.promote(null), refused)
    assert.equal((await control.order('rollback')).is, 'accepted')
    await conductor.stop()
  })
})
