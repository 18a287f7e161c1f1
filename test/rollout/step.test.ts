import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { begin, step } from '../../src/rollout/step.ts'
import type { Event, Upgrade } from '../../src/rollout/upgrade.ts'
import { newUpgradeId } from '../../src/rollout/upgrade-id.ts'
import { actionText, begun, ordered, placeText, plan, planStep, upgradeAt } from './upgrade-fixture.ts'

/** The places that events lead through, and what each move asks for. */
function walk(first: Upgrade, events: readonly Event[]): string[] {
  let upgrade = first
  return events.map((event) => {
    const { next, actions } = step(upgrade, event, 0)
    upgrade = next
    return `${placeText(next)}: ${actions.map(actionText).join(', ')}`
  })
}

describe('an upgrade', () => {
  test('begins with its roles over the snapshot, and a precheck', () => {
    const { next, actions } = begin(begun, 5_000)
    assert.deepEqual(actions, [{ do: 'route' }, { do: 'precheck' }])
    const { seq, ours, phase, beganAt, since, phaseSince } = next
    assert.deepEqual(
      { seq, ours, phase, beganAt, since, phaseSince },
      { seq: 1, ours: true, phase: 'precheck', beganAt: 5_000, since: 5_000, phaseSince: 5_000 },
    )
  })

  test('is promoted past the step that is meant, and past no other', () => {
    const second = upgradeAt({ phase: 'shift', step: 1, mode: { is: 'running' }, degrades: 0 })
    const after = (meant?: number) => step(second, { is: 'order', order: 'promote', by: 'operator', step: meant ?? null }, 9_000).next
    assert.deepEqual([after(), after(1), after(0), after(2)].map(placeText), ['shift 2', 'shift 2', 'shift 1', 'shift 1'])
  })

  test('that all goes well for takes the way of a shift', () => {
    const events: readonly Event[] = [
      { is: 'prechecked' },
      { is: 'started' },
      { is: 'ready' },
      { is: 'warmed' },
      { is: 'step-met' },
      { is: 'order', order: 'promote', by: 'operator' },
      { is: 'step-met' },
      { is: 'drained' },
      { is: 'stopped' },
    ]
    assert.deepEqual(walk(upgradeAt({ phase: 'precheck' }), events), [
      'start-new: start v2',
      'health-check: await-ready v2',
      'warm: warm v2',
      'shift 0: await-step 1000 ms 5',
      'shift 1: route',
      'shift 2: route, await-step 1000 ms 5',
      'stop-old drain: route, drain v1',
      'stop-old stop: stop v1',
      'done: route, conclude',
    ])
  })

  test('is degraded as often as the policy allows, each time for its time, and then goes back', () => {
    const degrade: Event = { is: 'verdict', asks: 'degrade', forMs: 500, maxDegrades: 2, detail: 'errors' }
    const at = upgradeAt({ phase: 'shift', step: 1, mode: { is: 'running' }, degrades: 0 })
    const events: readonly Event[] = [degrade, degrade, { is: 'restored' }, degrade, { is: 'restored' }, degrade]
    assert.deepEqual(walk(at, events), [
      'shift 1 degraded: route, await-restore 500 ms',
      'shift 1 degraded: ',
      'shift 1: route',
      'shift 1 degraded: route, await-restore 500 ms',
      'shift 1: route',
      'rollback drain: route, drain v2',
    ])
  })

  test('that excludes takes the way from hold to release, which flips the roles', () => {
    const events: readonly Event[] = [
      { is: 'prechecked' },
      { is: 'held' },
      { is: 'drained' },
      { is: 'stopped' },
      { is: 'started' },
      { is: 'ready' },
      { is: 'released' },
    ]
    assert.deepEqual(walk(upgradeAt({ phase: 'precheck' }, { plan: plan({ strategy: 'exclusive' }) }), events), [
      'hold: hold',
      'stop-old drain: drain v1',
      'stop-old stop: stop v1',
      'start-new: start v2',
      'health-check: await-ready v2',
      'release: route, release',
      'done: route, conclude',
    ])
  })

  test('goes back by a change of route, said in the move that begins it', () => {
    const at = upgradeAt({ phase: 'shift', step: 2, mode: { is: 'running' }, degrades: 0 })
    assert.deepEqual(walk(at, [{ is: 'candidate-lost', detail: 'exit 1' }, { is: 'drained' }, { is: 'stopped' }]), [
      'rollback drain: route, drain v2',
      'rollback stop: stop v2',
      'rolled-back: route, conclude',
    ])
  })

  test('is taken back after commit by an order, once the old version is ready again', () => {
    const events: readonly Event[] = [
      { is: 'order', order: 'rollback', by: 'operator' },
      { is: 'started' },
      { is: 'ready' },
      { is: 'drained' },
      { is: 'stopped' },
    ]
    assert.deepEqual(walk(upgradeAt({ phase: 'stop-old', todo: 'drain', frozen: null }), events), [
      'rollback restart-old: start v1, undrain v1, await-ready v1',
      'rollback restart-old: ',
      'rollback drain: route, drain v2',
      'rollback stop: stop v2',
      'rolled-back: route, conclude',
    ])
  })

  test('that excludes brings the old version back before it lets go what is held', () => {
    const at = upgradeAt({ phase: 'health-check' }, { plan: plan({ strategy: 'exclusive' }) })
    const events: readonly Event[] = [
      { is: 'not-ready-in-time', detail: 'no answer' },
      { is: 'stopped' },
      { is: 'ready' },
      { is: 'released' },
    ]
    assert.deepEqual(walk(at, events), [
      'rollback stop: route, stop v2',
      'rollback restart-old: start v1, undrain v1, await-ready v1',
      'rollback release: release',
      'rolled-back: route, conclude',
    ])
  })
})

describe('a cause', () => {
  const causeOf = (upgrade: Upgrade, event: Event) => {
    const { next } = step(upgrade, event, 0)
    return 'why' in next ? next.why : 'frozen' in next ? next.frozen : null
  }

  test('names what happened and who ordered it', () => {
    const at = upgradeAt({ phase: 'health-check' })
    assert.deepEqual(causeOf(at, { is: 'not-ready-in-time', detail: '503' }), { code: 'not-ready-in-time', detail: '503', by: 'engine' })
    const { code, by } = causeOf(at, { is: 'order', order: 'rollback', by: 'configuration' }) ?? {}
    assert.deepEqual([code, by], ['ordered', 'configuration'])
  })

  test('of a drain that failed is not that of a stop', () => {
    const failed: Event = { is: 'stop-failed', detail: 'EPERM' }
    assert.equal(causeOf(upgradeAt({ phase: 'stop-old', todo: 'drain', frozen: null }), failed)?.code, 'drain-failed')
    assert.equal(causeOf(upgradeAt({ phase: 'stop-old', todo: 'stop', frozen: null }), failed)?.code, 'stop-failed')
  })

  test('stays the first one when the candidate cannot be stopped, and says what is left', () => {
    const cause = causeOf(upgradeAt({ phase: 'rollback', todo: 'stop', why: ordered }), { is: 'stop-failed', detail: 'EPERM' })
    assert.equal(cause?.code, 'ordered')
    assert.match(cause?.detail ?? '', /for a test; v2 is left alive: EPERM/)
  })

  test('is the loss of the old version where it does not come back', () => {
    const place = { phase: 'rollback', todo: 'restart-old', why: ordered } as const
    for (const strategy of ['shift', 'exclusive'] as const) {
      const cause = causeOf(upgradeAt(place, { plan: plan({ strategy }) }), { is: 'not-ready-in-time', detail: 'refused' })
      assert.equal(cause?.code, 'old-lost')
      assert.match(cause?.detail ?? '', /v1 .*refused.*for a test/)
    }
  })
})

describe('times', () => {
  const present = (upgrade: Upgrade) => [upgrade.seq, upgrade.phaseSince, upgrade.since]

  test('of the place begin anew with each move, of the phase with each phase', () => {
    const at = upgradeAt({ phase: 'shift', step: 0, mode: { is: 'running' }, degrades: 0 })
    assert.deepEqual(present(step(at, { is: 'step-met' }, 9_000).next), [8, 2_000, 9_000])
    assert.deepEqual(present(step(at, { is: 'candidate-lost', detail: '' }, 9_000).next), [8, 9_000, 9_000])
  })

  test('of a step begin anew when it is resumed, for what a pause saw counts for nothing', () => {
    const at = upgradeAt({ phase: 'shift', step: 0, mode: { is: 'paused', by: 'operator' }, degrades: 0 })
    const { next, actions } = step(at, { is: 'order', order: 'resume', by: 'operator' }, 9_000)
    assert.deepEqual(present(next), [8, 2_000, 9_000])
    assert.deepEqual(actions.map(actionText), ['await-step 1000 ms 5'])
  })

  test('are those of the entry after a crash', () => {
    const at = upgradeAt({ phase: 'health-check' })
    assert.equal(step(at, { is: 'recovered' }, 9_000).next, at)
  })
})

test('a plan of one step commits after it', () => {
  const at = upgradeAt(
    { phase: 'shift', step: 0, mode: { is: 'running' }, degrades: 0 },
    { plan: plan({ steps: [planStep({ weight: 100 })] }) },
  )
  assert.equal(placeText(step(at, { is: 'step-met' }, 0).next), 'stop-old drain')
})

test('an id has the day, in UTC, and four characters', () => {
  assert.equal(
    newUpgradeId(Date.UTC(2026, 10, 24, 23, 59), () => 0),
    'upg-20261124-0000',
  )
  assert.equal(
    newUpgradeId(Date.UTC(2026, 0, 5), () => 0.999_999_999),
    'upg-20260105-zzzz',
  )
})
