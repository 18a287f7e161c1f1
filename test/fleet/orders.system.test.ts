/** What people order of a fleet's upgrade, what is refused them, and what becomes of it without etcd. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { writeShared } from '../../src/fleet/shared-upgrade.ts'
import { needs } from '../kit/packages.ts'
import { FleetRun } from './fleet-run.ts'
import { atStep, fleetPlan, shared } from './upgrade-fixture.ts'

describe('orders to a fleet', { skip: needs('etcd') }, () => {
  let fleet: FleetRun

  before(async () => {
    fleet = await FleetRun.start(['i1', 'i2', 'i3'], null)
  })
  after(() => fleet.close())

  beforeEach(() => fleet.settled())

  test('what cannot be begun is refused, and nothing has changed', async () => {
    const begin = (...words: readonly string[]) => fleet.run('upgrade', '--fleet', ...words)
    const cases: readonly (readonly [words: readonly string[], code: number, says: RegExp])[] = [
      [['--to', 'v9'], 2, /there is no version v9; there is v1, v2, v3/],
      [['--to', 'v2', '--plan', 'none'], 2, /there is no plan none; there is .*quick/],
      [['--to', 'v2', '--plan', 'held'], 4, /the plan held is exclusive/],
      [['--to', 'v1'], 0, /nothing to do: v1 is stable/],
    ]
    const all = await Promise.all(cases.map(async ([words, code, says]) => ({ words, code, says, ended: await begin(...words) })))
    for (const { words, code, says, ended } of all) {
      assert.deepEqual([ended.code, says.test(ended.text)], [code, true], `${words}: ${ended.text}`)
    }
    const order = await fleet.run('promote', '--fleet')
    assert.deepEqual([order.code, order.text], [4, 'baton: refused: the fleet has no upgrade\n'])
    for (const { upgrade } of await fleet.records()) assert.equal(upgrade, null)
  })

  test('orders of the fleet, each said twice; what is local is refused, but to go back', async () => {
    const said = async (...words: readonly string[]) => {
      const { code, text } = await fleet.run(...words, '--fleet')
      assert.equal(code, 0, text)
      return text
    }
    assert.match(await said('upgrade', '--to', 'v2', '--plan', 'slow'), /step 1 of 3: 0 %/)
    const { id } = await fleet.upgrade()
    assert.match(await said('upgrade', '--to', 'v2', '--plan', 'slow'), new RegExp(`^${id}`))
    const other = await fleet.run('upgrade', '--fleet', '--to', 'v3')
    assert.deepEqual([other.code, other.text], [4, `baton: refused: upgrade ${id} from v1 to v2 is under way\n`])
    await fleet.atStep(1)

    assert.match(await said('pause'), /step 2 of 3: 50 %, paused/)
    assert.match(await said('pause'), /nothing to do: .*paused/)
    assert.match(await said('promote'), /step 3 of 3: 100 %, paused/)
    await fleet.atStep(2)
    assert.match(await said('resume'), /step 3 of 3: 100 %\n/)
    assert.match(await said('resume'), /nothing to do/)

    const local = await fleet.local('i1', 'promote')
    assert.deepEqual([local.code, local.text], [4, `baton: refused: upgrade ${id} is the fleet's: add --fleet -c FILE\n`])
    for (const order of ['pause', 'resume']) assert.equal((await fleet.ask('i1', order)).status, 409, order)
    const back = await fleet.local('i1', 'rollback')
    assert.equal(back.code, 0, back.text)
    await fleet.until('the fleet goes back', async () => (await fleet.upgrade()).goal.is === 'rollback')
    const { goal } = await fleet.upgrade()
    assert.deepEqual(goal, { is: 'rollback', by: 'i1', why: 'ordered by the operator', evidence: null })
    assert.equal((await fleet.run('resume', '--fleet')).code, 4)
    await fleet.until('all have gone back', async () => (await fleet.records()).every(({ upgrade }) => upgrade?.phase === 'rolled-back'))
  })

  test('etcd ends in the middle of a shift: it stays where it is, orders are refused, and it goes on when etcd is back; then a person takes it back', async () => {
    assert.equal((await fleet.run('upgrade', '--fleet', '--to', 'v2', '--plan', 'slow')).code, 0)
    await fleet.atStep(1)
    await fleet.etcd.member.stop()
    await fleet.served(60)
    const counts = fleet.counts()
    const order = await fleet.run('promote', '--fleet')
    assert.equal(order.code, 1, order.text)
    await fleet.served(120)
    for (const [name, from] of counts) {
      const share = fleet.share(name, 'v2', from)
      assert.ok(share > 0.2 && share < 0.8, `${name}: ${share}`)
      assert.deepEqual(fleet.failed(name, from), [])
    }
    await fleet.etcd.member.start()
    assert.equal((await fleet.run('promote', '--fleet')).code, 0)
    await fleet.atStep(2)
    for (const says of [/goes back, demanded by \S+@\S+: ordered by/, /^nothing to do/]) {
      assert.match((await fleet.run('rollback', '--fleet')).text, says)
    }
    for (const [name, from] of counts) assert.deepEqual(fleet.failed(name, from), [])
  })

  test('instances that do not agree, or none at all: nothing begins', async () => {
    const begin = () => fleet.run('upgrade', '--fleet', '--to', 'v2')
    const alone = await fleet.local('i2', 'upgrade', '--to', 'v2', '--plan', 'manual')
    assert.equal(alone.code, 0, alone.text)
    await fleet.until('i2 tells of it', async () => (await fleet.record('i2'))?.upgrade?.phase === 'shift')
    const busy = await begin()
    assert.equal(busy.code, 4)
    assert.match(busy.text, /i2 is still in upgrade upg-\S+, which has come to shift/)
    assert.equal((await fleet.local('i2', 'rollback')).code, 0)

    await fleet.putConfig('versions: 7')
    await fleet.until('all have refused it', async () => (await fleet.records()).every(({ refused }) => refused !== null))
    const apart = await begin()
    assert.equal(apart.code, 4)
    assert.match(apart.text, /i1 runs revision \d+ of the configuration, not \d+, and has refused that: /)
    await fleet.configure({})

    const nobody = await fleet.runAt('/baton/nobody', 'upgrade', '--fleet', '--to', 'v2')
    assert.deepEqual([nobody.code, nobody.text], [4, 'baton: refused: no instance lives\n'])
  })

  test('whatever stands in the key, no instance does more than its configuration allows', async () => {
    const counts = fleet.counts()
    const steps = [{ is: 'weight', weight: 500, forMs: 0, minRequests: 0, manual: false }]
    await fleet.putUpgrade(JSON.stringify({ ...JSON.parse(writeShared(shared())), plan: { ...fleetPlan, steps }, goal: { is: 'commit' } }))
    const foreign = await fleet.run('upgrade', '--fleet', '--to', 'v2')
    assert.deepEqual([foreign.code, foreign.text], [4, 'baton: refused: there is an upgrade in etcd that this build does not understand\n'])

    await fleet.putUpgrade(writeShared(shared({ to: 'constructor', goal: atStep(0) })))
    await fleet.until('one has demanded to go back', async () => (await fleet.upgrade()).goal.is === 'rollback')
    await fleet.until('all have gone back', async () => (await fleet.records()).every(({ upgrade }) => upgrade?.phase === 'rolled-back'))
    const { goal } = await fleet.upgrade()
    assert.ok(goal.is === 'rollback')
    assert.equal(goal.why, 'no version constructor is configured')
    for (const [name, from] of counts) {
      assert.deepEqual(await fleet.rolesOf(name), { stable: 'v1', candidate: null })
      assert.deepEqual(fleet.failed(name, from), [])
    }
  })
})
