import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readShared, type SharedUpgrade, writeShared } from '../../src/fleet/shared-upgrade.ts'
import { readLedger } from '../../src/rollout/journal-form.ts'
import type { PlanStep } from '../../src/rollout/plan.ts'
import { begun, plan, planStep } from '../rollout/upgrade-fixture.ts'
import { atStep, back, commit, shared } from './upgrade-fixture.ts'

/** One that is right but for what `change` says of it. */
function readWith(change: Readonly<Record<string, unknown>>): SharedUpgrade | null {
  return readShared(JSON.stringify({ ...JSON.parse(writeShared(shared())), ...change }))
}

describe('the upgrade of a fleet as etcd holds it', () => {
  test('what was written is read', () => {
    for (const goal of [atStep(0), atStep(3, true), commit, back]) {
      const upgrade = shared({ goal })
      assert.deepEqual(readShared(writeShared(upgrade)), { v: 1, ...upgrade })
    }
  })

  test('figures of a verdict come through as they are', () => {
    const evidence = { is: 'breach', signals: [{ name: 'errorRate', value: 0.4 }] }
    const goal = { ...back, evidence }
    assert.deepEqual(readShared(writeShared(shared({ goal })))?.goal, goal)
  })

  test('what is no JSON, or of another format, is none', () => {
    for (const text of ['', '{', 'null', '7', '[]', '"upg"', '{"v":2}']) assert.equal(readShared(text), null, text)
    assert.equal(readWith({ v: 2 }), null)
  })

  const steps = (...each: readonly object[]) => ({ plan: { ...plan(), steps: each } })
  const bake = planStep({ is: 'bake', weight: 100 })
  const hostile: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'a name that is a path': { id: '../../etc/passwd' },
    'a name with more behind it': { id: 'upg-20261124-ab12/../x' },
    'no name': { id: 7 },
    'a version that no configuration could have': { to: '__proto__' },
    'a version of a megabyte': { to: 'v'.repeat(1 << 20) },
    'a version with an escape sequence': { to: 'v\u001b[2J' },
    'no version': { from: null },
    'from a version to itself': { to: 'v1' },
    'a time that is no date': { beganAt: 1e300 },
    'a time before all times': { movedAt: -1 },
    'a revision that is none': { configRevision: -1 },
    'superseded by a text': { isSuperseded: 'no' },
    'an exclusive plan': { plan: plan({ strategy: 'exclusive', steps: [] }) },
    'no steps': steps(),
    'steps that are none': { plan: { ...plan(), steps: { length: 1, 0: bake } } },
    'a thousand steps': steps(...Array.from({ length: 1_000 }, (_, at) => planStep({ weight: (at + 1) / 20 })), bake),
    'a weight above 100': steps(planStep({ weight: 150 }), bake),
    'a weight below 0': steps(planStep({ weight: -5 }), bake),
    'a weight of 0': steps(planStep({ weight: 0 }), bake),
    'a weight that is a text': steps({ ...planStep({}), weight: '10' }, bake),
    'weights that shrink': steps(planStep({ weight: 50 }), planStep({ weight: 10 }), bake),
    'header-only with a weight': steps(planStep({ is: 'header-only', weight: 50 }), bake),
    'header-only after a weight': steps(planStep({ weight: 50 }), planStep({ is: 'header-only', weight: 0 }), bake),
    'bake of half the traffic': steps(planStep({ is: 'bake', weight: 50 })),
    'no bake at the end': steps(planStep({ weight: 50 })),
    'a step of another kind': steps({ ...planStep({}), is: 'mirror' }, bake),
    'a step that takes a year': steps(planStep({ forMs: 31_536_000_000 }), bake),
    'more requests than there will be': steps(planStep({ minRequests: Number.MAX_SAFE_INTEGER }), bake),
    'a readiness that is awaited for a year': { plan: plan({ readyTimeoutMs: 31_536_000_000 }) },
    'a spare for ever': { plan: plan({ retireAfterMs: Number.MAX_VALUE }) },
    'a plan whose name is a path': { plan: plan({ name: '../plan' }) },
    'a step past the end': { goal: atStep(4) },
    'a step before the first': { goal: atStep(-1) },
    'half a step': { goal: atStep(0.5) },
    'a step that is a text': { goal: { ...atStep(0), step: '1' } },
    'a step that is a list': { goal: { ...atStep(0), step: [1] } },
    'a pause that is a text': { goal: { ...atStep(0), isPaused: 'yes' } },
    'another goal': { goal: { is: 'constructor' } },
    'a rollback by nobody': { goal: { is: 'rollback', why: 'w' } },
    'a reason with an escape sequence': { goal: { ...back, why: '\u001b]0;owned\u0007' } },
    'a reason of a megabyte': { goal: { ...back, why: 'w'.repeat(1 << 20) } },
  }
  for (const [name, change] of Object.entries(hostile)) test(`refused: ${name}`, () => assert.equal(readWith(change), null))

  test('refused: a figure that JSON reads as infinite, and cannot write again', () => {
    const text = writeShared(shared()).replace('"forMs":1000', '"forMs":1e999')
    assert.notEqual(text, writeShared(shared()))
    assert.equal(readShared(text), null)
  })

  test('a version that every object has is one like any other: whether it is configured, the precheck says', () => {
    assert.equal(readWith({ to: 'constructor' })?.to, 'constructor')
  })

  test('whatever is read comes back from the journal after a restart, and is written again as it is', () => {
    const figure = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.double(), fc.maxSafeInteger(), fc.constantFrom<unknown>('1', null, true))
    const word = fc.oneof(
      fc.constantFrom<unknown>('v1', 'v2', 'constructor', '', 'step', 'weight', 'bake', 'header-only'),
      fc.string(),
      fc.anything(),
    )
    const step = fc.record({ is: word, weight: figure, forMs: figure, minRequests: figure, manual: fc.oneof(fc.boolean(), word) })
    const good = fc.constantFrom(...shared().plan.steps)
    const goal = fc.oneof(
      fc.record({ is: fc.constant('step'), step: figure, isPaused: fc.oneof(fc.boolean(), word) }),
      fc.record({ is: fc.constant('rollback'), by: word, why: word, evidence: fc.jsonValue() }),
      fc.constant(commit),
    )
    const change = fc.record(
      {
        from: word,
        to: word,
        beganAt: figure,
        goal,
        plan: fc.oneof(
          { weight: 3, arbitrary: fc.subarray([...shared().plan.steps]).map((steps) => plan({ steps })) },
          fc.array(fc.oneof(good, step), { maxLength: 5 }).map((steps) => plan({ steps: steps as unknown as PlanStep[] })),
        ),
      },
      { requiredKeys: [] },
    )
    let read = 0
    fc.assert(
      fc.property(change, (changed) => {
        const upgrade = readWith(changed)
        if (upgrade === null) return
        read += 1
        assert.deepEqual(readShared(writeShared(upgrade)), upgrade)
        const { id, from, to, plan: followed } = upgrade
        const joined = { ...begun, id, from, to, plan: followed, seq: 1, beganAt: 1, phaseSince: 1, since: 1, phase: 'precheck' }
        const ledger = { v: 1, stable: from, configuredStable: from, retired: [], drained: [], spare: null, upgrade: joined }
        assert.deepEqual(readLedger(JSON.stringify(ledger)).upgrade?.plan, followed)
      }),
      { numRuns: 3_000, seed: 6 },
    )
    assert.ok(read > 50, `${read} of them were read`)
  })
})
