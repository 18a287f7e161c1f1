import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Deed, deedFor, nextGoal, type Progress, progressOf, type Standing } from '../../src/fleet/lockstep.ts'
import type { InstanceRecord, InstanceUpgrade } from '../../src/fleet/record.ts'
import type { Goal } from '../../src/fleet/shared-upgrade.ts'
import { atStep, back, commit, fleetPlan, inPhase, own, recordOf, shared } from './upgrade-fixture.ts'

const join: Deed = { do: 'join' }
const rollBack: Deed = { do: 'roll-back' }

function standing(upgrade: InstanceUpgrade | null, change: Partial<Standing> = {}): Standing {
  return { upgrade, isLed: true, stable: 'v1', configuredStable: 'v1', configRevision: 5, evidence: null, ...change }
}

/** Of the upgrade before this one. */
const earlier = (change: Partial<InstanceUpgrade> = {}) => own({ id: 'upg-20261120-zzzz', ...change })

describe('what an instance does about the goal', () => {
  const rows: readonly (readonly [name: string, goal: Goal, standing: Standing, deed: Deed | null])[] = [
    ['it has had no upgrade: it joins', atStep(0), standing(null), join],
    ['it has had another one, which is over: it joins', atStep(2), standing(earlier({ phase: 'done', step: null })), join],
    ['it starts after the commit: it joins, and catches up', commit, standing(null), join],
    ['it starts after the rollback: nothing', back, standing(null), null],
    ['its stable is another one: nothing', atStep(0), standing(null, { stable: 'v3' }), null],
    ['its configuration says another stable by now: nothing', commit, standing(null, { configuredStable: 'v3' }), null],
    ['it has not the configuration yet that the upgrade began with: nothing', atStep(0), standing(null, { configRevision: 4 }), null],
    ['it has a later one: it joins', atStep(0), standing(null, { configRevision: 9 }), join],
    ['it has not come to the shift yet: nothing', atStep(2), standing(inPhase('health-check')), null],
    ['it stands where the goal is: nothing', atStep(1), standing(own({ step: 1 })), null],
    ['it stands a step behind: its step ends', atStep(2), standing(own({ step: 1 })), { do: 'promote', step: 1 }],
    ['it stands far behind: one step at a time', atStep(3), standing(own({ step: 0 })), { do: 'promote', step: 0 }],
    ['it is ahead, since etcd was restored: nothing', atStep(0), standing(own({ step: 2 })), null],
    ['the goal is commit: its last step ends', commit, standing(own({ step: 3 })), { do: 'promote', step: 3 }],
    ['it has committed: nothing', commit, standing(inPhase('stop-old')), null],
    ['it is done: nothing', commit, standing(inPhase('done'), { stable: 'v2' }), null],
    ['it went back after the commit: nothing goes back by itself', commit, standing(inPhase('rolled-back', { why: 'bad' })), null],
    ['the goal is to go back: it does', back, standing(own({ step: 2 })), rollBack],
    ['the goal is to go back, and it has not begun to shift: it does', back, standing(inPhase('warm')), rollBack],
    ['it goes back already: nothing', back, standing(inPhase('rollback')), null],
    ['it has gone back: nothing', back, standing(inPhase('rolled-back')), null],
    ['it was done by an order of its own: nothing', back, standing(inPhase('done'), { stable: 'v2' }), null],
    ['it is in an upgrade of its own: nothing', atStep(1), standing(earlier(), { isLed: false }), null],
    ['in an earlier one that the fleet took back: so does it', atStep(1), standing(earlier()), rollBack],
    ['in an earlier one that goes back already: nothing', atStep(1), standing(earlier({ phase: 'rollback', step: null })), null],
  ]
  for (const [name, goal, from, deed] of rows) test(name, () => assert.deepEqual(deedFor(shared({ goal }), from, 'i1'), deed))

  test('the configuration ordered another stable after its end: that is written down, and nobody joins any more', () => {
    const edited = { configRevision: 6, configuredStable: 'v3', stable: 'v3' }
    for (const goal of [commit, back]) {
      assert.deepEqual(deedFor(shared({ goal }), standing(inPhase('done'), edited), 'i1'), { do: 'supersede' })
      assert.equal(deedFor(shared({ goal, isSuperseded: true }), standing(inPhase('done'), edited), 'i1'), null)
    }
    assert.equal(deedFor(shared({ goal: atStep(1) }), standing(own(), edited), 'i1'), null)
    // it says again what it said then
    assert.equal(deedFor(shared({ goal: commit, isSuperseded: true }), standing(null, { configRevision: 7 }), 'i1'), null)
    // who was away while it shifted catches up all the same
    const away = standing(own({ step: 3 }))
    assert.deepEqual(deedFor(shared({ goal: commit, isSuperseded: true }), away, 'i1'), { do: 'promote', step: 3 })
  })

  test('in an earlier one that the fleet committed: it goes on to its end', () => {
    const later = shared({ from: 'v2', to: 'v3' })
    assert.deepEqual(deedFor(later, standing(earlier({ step: 2 })), 'i1'), { do: 'promote', step: 2 })
  })

  test('it has gone back by itself: it demands that all do, with its reason and its figures', () => {
    for (const phase of ['rollback', 'rolled-back']) {
      const deed = deedFor(shared(), standing(inPhase(phase, { why: 'errors 40 %' }), { evidence: { is: 'breach' } }), 'i1')
      assert.deepEqual(deed, { do: 'demand', goal: { is: 'rollback', by: 'i1', why: 'errors 40 %', evidence: { is: 'breach' } } })
    }
  })

  test('what it says of its reason fits a line of a terminal', () => {
    const why = `\u001b[2J${'x'.repeat(5_000)}`
    const deed = deedFor(shared(), standing(inPhase('rolled-back', { why })), 'i1')
    assert.ok(deed?.do === 'demand')
    assert.equal(deed.goal.why, ` [2J${'x'.repeat(996)}`)
  })
})

describe('where the goal goes', () => {
  const there = (step: number) => recordOf('i1', own({ step }))
  const rows: readonly (readonly [name: string, goal: Goal, instances: readonly InstanceRecord[], next: Goal | null])[] = [
    ['all are there and content: the next step', atStep(1), [there(1), there(1)], atStep(2)],
    ['at the last step: commit', atStep(3), [there(3)], commit],
    ['one is a step behind', atStep(1), [there(1), there(0)], null],
    ['one is not content', atStep(1), [there(1), recordOf('i2', own({ isMet: false }))], null],
    ['one has not come to the shift', atStep(0), [there(0), recordOf('i2', inPhase('warm'))], null],
    ['one has not joined', atStep(1), [there(1), recordOf('i2', null)], null],
    ['one is in an upgrade of its own', atStep(1), [there(1), recordOf('i2', own({ id: 'upg-20261124-0000' }))], null],
    ['one has the new version as stable already', atStep(1), [there(1), recordOf('i2', null, 'v2')], atStep(2)],
    ['one goes back', atStep(1), [there(1), recordOf('i2', inPhase('rollback'))], null],
    ['nobody lives', atStep(1), [], null],
    ['it is paused', atStep(1, true), [there(1)], null],
    ['it is committed', commit, [there(3)], null],
    ['it goes back', back, [there(1)], null],
  ]
  for (const [name, goal, instances, next] of rows) test(name, () => assert.deepEqual(nextGoal(shared({ goal }), instances), next))

  test('a manual step waits for a person', () => {
    const plan = { ...fleetPlan, steps: fleetPlan.steps.map((step) => ({ ...step, manual: true })) }
    assert.equal(nextGoal(shared({ plan }), [recordOf('i1', own())]), null)
  })
})

describe('how far the whole is', () => {
  const done = recordOf('i1', inPhase('done'), 'v2')
  const rolledBack = recordOf('i1', inPhase('rolled-back'))
  const rows: readonly (readonly [name: string, goal: Goal, instances: readonly InstanceRecord[], progress: Progress])[] = [
    ['at a step it is under way', atStep(3), [recordOf('i1', own({ step: 3 }))], 'under-way'],
    ['committed, and all are done', commit, [done, done], 'done'],
    ['committed, and one drains the old version', commit, [done, recordOf('i2', inPhase('stop-old'), 'v2')], 'under-way'],
    ['committed, and one walks its last step', commit, [done, recordOf('i2', own({ step: 3 }))], 'under-way'],
    ['committed, and one is about to join', commit, [done, recordOf('i2', null)], 'under-way'],
    ['committed, and one began on the new version', commit, [done, recordOf('i2', null, 'v2')], 'done'],
    ['committed, and one has gone back', commit, [done, rolledBack], 'apart'],
    ['committed, and one goes back still', commit, [done, recordOf('i2', inPhase('rollback'))], 'under-way'],
    ['committed, and one is frozen', commit, [done, recordOf('i2', inPhase('stop-old', { isFrozen: true }), 'v2')], 'apart'],
    ['committed, and one has gone back to its spare since', commit, [done, recordOf('i2', inPhase('done'), 'v1')], 'apart'],
    ['committed, and the configuration has ordered a third since', commit, [recordOf('i1', inPhase('done'), 'v3')], 'apart'],
    ['gone back, and all are', back, [rolledBack, recordOf('i2', null)], 'rolled-back'],
    ['gone back, and one still does', back, [rolledBack, recordOf('i2', inPhase('rollback'))], 'under-way'],
    ['gone back, and one has not heard of it', back, [rolledBack, recordOf('i2', own())], 'under-way'],
    ['gone back, and one was done by itself', back, [rolledBack, recordOf('i2', inPhase('done'), 'v2')], 'apart'],
  ]
  for (const [name, goal, instances, progress] of rows) test(name, () => assert.equal(progressOf(shared({ goal }), instances), progress))
})
