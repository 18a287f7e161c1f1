import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { configKeyOf, instanceKeyOf } from '../../src/config/etcd/keys.ts'
import type { Store } from '../../src/config/etcd/store.ts'
import { BatonError } from '../../src/errors.ts'
import { beginUpgrade, type FleetOrder, orderUpgrade } from '../../src/fleet/commands.ts'
import { type InstanceRecord, writeRecord } from '../../src/fleet/record.ts'
import type { Goal, SharedUpgrade } from '../../src/fleet/shared-upgrade.ts'
import { moveUpgrade, readUpgrade } from '../../src/fleet/upgrade-log.ts'
import { SteppedStore } from './stepped-store.ts'
import { atStep, back, commit, inPhase, own, recordOf, shared } from './upgrade-fixture.ts'

const prefix = '/baton/shop'
const configuration = (stable: string) =>
  `versions: { v1: { url: "http://127.0.0.1:1" }, v2: { url: "http://127.0.0.1:2" }, v3: { url: "http://127.0.0.1:3" } }\nstable: ${stable}\n`

type FleetStore = Pick<Store, 'get' | 'list' | 'commit'>

/** etcd with a configuration, these instances on it, and an upgrade if one is given. */
async function etcdWith(
  instances: readonly InstanceRecord[],
  { stable = 'v1', upgrade }: { stable?: string; upgrade?: SharedUpgrade } = {},
) {
  const store = new SteppedStore(() => undefined).atOnce('person')
  const { header } = await store.commit([], [{ is: 'put', key: configKeyOf(prefix), value: configuration(stable) }])
  for (const instance of instances) await put(store, { ...instance, revision: header.revision })
  if (upgrade !== undefined) await moveUpgrade(store, prefix, upgrade, 0)
  return { store, revision: header.revision }
}

const put = (store: FleetStore, record: InstanceRecord) =>
  store.commit([], [{ is: 'put', key: instanceKeyOf(prefix, record.id), value: writeRecord(record) }])

const begin = (store: FleetStore, to: string) => beginUpgrade(store, prefix, { to, plan: null, id: 'upg-20261125-0000', now: 7 })

const isRefused = (says: RegExp) => (error: unknown) => error instanceof BatonError && error.code === 'refused' && says.test(error.message)

describe('an upgrade of a fleet begins', () => {
  test('at the first step of the plan, with what the configuration says', async () => {
    const { store, revision } = await etcdWith([recordOf('i1', null), recordOf('i2', null)])
    assert.equal((await begin(store, 'v2'))?.is, 'accepted')
    const { upgrade } = await readUpgrade(store, prefix)
    assert.ok(upgrade)
    const { id, from, to, goal, configRevision, configuredStable, isSuperseded } = upgrade
    assert.deepEqual([id, from, to, goal], ['upg-20261125-0000', 'v1', 'v2', atStep(0)])
    assert.deepEqual([configRevision, configuredStable, isSuperseded], [revision, 'v1', false])
  })

  test('once: said again it is the same one', async () => {
    const { store } = await etcdWith([recordOf('i1', null)])
    await begin(store, 'v2')
    assert.equal((await begin(store, 'v2'))?.is, 'unchanged')
    await assert.rejects(begin(store, 'v3'), isRefused(/is under way/))
  })

  test('after one that is over, and back to the configured version as well', async () => {
    const { store } = await etcdWith([recordOf('i1', inPhase('done'), 'v2')], { upgrade: shared({ goal: commit }) })
    assert.equal((await begin(store, 'v1'))?.is, 'accepted')
  })

  test('not from a version that an instance that starts anew would not have', async () => {
    const { store } = await etcdWith([recordOf('i1', inPhase('done'), 'v2')], { upgrade: shared({ goal: commit }) })
    await assert.rejects(begin(store, 'v3'), isRefused(/the configuration says stable: v1, .*; put stable: v2 first/))
  })

  test('not while instances differ', async () => {
    const cases: readonly (readonly [says: RegExp, instances: readonly InstanceRecord[]])[] = [
      [/no instance lives/, []],
      [/i1 has v1 as stable, i2 has v2/, [recordOf('i1', null), recordOf('i2', null, 'v2')]],
      [/i1 is still in upgrade upg-20261124-ab12, which has come to shift/, [recordOf('i1', own())]],
      [/has come to stop-old/, [recordOf('i1', inPhase('stop-old', { isFrozen: true }))]],
    ]
    for (const [says, instances] of cases) await assert.rejects(begin((await etcdWith(instances)).store, 'v2'), isRefused(says))
  })

  test('not beside an instance of a build that is not understood, nor over a key that is not', async () => {
    const { store } = await etcdWith([recordOf('i1', null)])
    await store.commit([], [{ is: 'put', key: instanceKeyOf(prefix, 'i2'), value: '{"v":9}' }])
    await assert.rejects(begin(store, 'v2'), isRefused(/instances\/i2 is an instance of another build/))
    const other = await etcdWith([recordOf('i1', null)])
    await other.store.commit([], [{ is: 'put', key: `${prefix}/upgrade`, value: '{"v":9}' }])
    await assert.rejects(begin(other.store, 'v2'), isRefused(/does not understand/))
  })

  test('not when the configuration is written between the look at it and the begin', async () => {
    const { store } = await etcdWith([recordOf('i1', null)])
    const raced: FleetStore = {
      ...store,
      async commit(unchanged, writes) {
        await store.commit([], [{ is: 'put', key: configKeyOf(prefix), value: configuration('v3') }])
        return await store.commit(unchanged, writes)
      },
    }
    await assert.rejects(begin(raced, 'v2'), isRefused(/somebody else has just/))
    assert.equal((await readUpgrade(store, prefix)).upgrade, null)
  })
})

describe('an order to the fleet', () => {
  const byPerson: Goal = { is: 'rollback', by: 'p@h', why: 'ordered by p@h', evidence: null }
  const rows: readonly (readonly [goal: Goal, order: FleetOrder, then: Goal | 'unchanged' | RegExp])[] = [
    [atStep(1), 'promote', atStep(2)],
    [atStep(1, true), 'promote', atStep(2, true)],
    [atStep(3), 'promote', commit],
    [atStep(1), 'pause', atStep(1, true)],
    [atStep(1, true), 'pause', 'unchanged'],
    [atStep(1, true), 'resume', atStep(1)],
    [atStep(1), 'resume', 'unchanged'],
    [atStep(1), 'rollback', byPerson],
    [commit, 'promote', 'unchanged'],
    [commit, 'pause', /is committed/],
    [commit, 'rollback', /is committed; "baton upgrade --fleet --to" the old version/],
    [back, 'rollback', 'unchanged'],
    [back, 'promote', /goes back: its process ended/],
  ]
  for (const [goal, order, then] of rows) {
    const place = goal.is === 'step' ? `step ${goal.step}${goal.isPaused ? ', paused' : ''}` : goal.is
    test(`${order} at ${place}`, async () => {
      const { store } = await etcdWith([], { upgrade: shared({ goal }) })
      const ordered = orderUpgrade(store, prefix, order, 'p@h', 9)
      if (then instanceof RegExp) return await assert.rejects(ordered, isRefused(then))
      assert.equal((await ordered).is, then === 'unchanged' ? 'unchanged' : 'accepted')
      assert.deepEqual((await readUpgrade(store, prefix)).upgrade?.goal, then === 'unchanged' ? goal : then)
    })
  }

  test('is refused where there is no upgrade', async () => {
    const { store } = await etcdWith([])
    for (const order of ['promote', 'pause', 'resume', 'rollback'] as const) {
      await assert.rejects(orderUpgrade(store, prefix, order, 'p@h', 9), isRefused(/the fleet has no upgrade/))
    }
  })

  test('to go back is never lost to one who moves the goal at the same time', async () => {
    const { store } = await etcdWith([], { upgrade: shared({ goal: atStep(0) }) })
    let moves = 0
    const raced: FleetStore = {
      ...store,
      async commit(unchanged, writes) {
        const { upgrade, revision } = await readUpgrade(store, prefix)
        if (moves++ < 3 && upgrade !== null) await moveUpgrade(store, prefix, { ...upgrade, goal: atStep(moves) }, revision)
        return await store.commit(unchanged, writes)
      },
    }
    assert.equal((await orderUpgrade(raced, prefix, 'rollback', 'p@h', 9)).is, 'accepted')
    assert.deepEqual((await readUpgrade(store, prefix)).upgrade?.goal, byPerson)
  })
})
