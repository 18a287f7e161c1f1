/** Plans: what may be written for short, which are always there, and what is refused. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PlanSettings } from '../../src/config/settings.ts'
import { formatConfigFault } from '../../src/errors.ts'
import type { Plan } from '../../src/rollout/plan.ts'
import { faultsOf, minimal, parse } from './fixture.ts'

function rollout(text: string) {
  return parse(`${minimal}rollout: ${text}\n`).dynamic.rollout
}

function steps(text: string) {
  return rollout(`{ plans: { p: { steps: ${text} } } }`).plans.p?.steps
}

describe('a plan', () => {
  test('is the same to the configuration and to the upgrade', () => {
    // Each way round: a key that one of them lacks does not compile.
    const toUpgrade = (plan: PlanSettings): Plan => plan
    const toSettings = (plan: Plan): PlanSettings => plan
    const plan = rollout('{}').plans.default
    assert.ok(plan)
    assert.equal(toSettings(toUpgrade(plan)), plan)
  })

  test('has steps that are words, weights, or mappings', () => {
    const waits = { minRequests: 0, manual: false }
    assert.deepEqual(steps('[header-only, 2.5, { weight: 50, for: 5m, minRequests: 20 }, { bake: true, for: 90s, manual: true }]'), [
      { is: 'header-only', weight: 0, forMs: 0, ...waits },
      { is: 'weight', weight: 2.5, forMs: 30_000, ...waits },
      { is: 'weight', weight: 50, forMs: 300_000, minRequests: 20, manual: false },
      { is: 'bake', weight: 100, forMs: 90_000, minRequests: 0, manual: true },
    ])
    assert.deepEqual(steps('[{ headerOnly: true, for: 1m }, { weight: 10 }, { bake: true }]'), [
      { is: 'header-only', weight: 0, forMs: 60_000, ...waits },
      { is: 'weight', weight: 10, forMs: 30_000, ...waits },
      { is: 'bake', weight: 100, forMs: 30_000, ...waits },
    ])
  })

  test('has the usual steps if it names none', () => {
    const { plans } = rollout('{ plans: { slow: { retireAfter: 10m, readyTimeout: 2m } } }')
    assert.deepEqual(plans.slow, { ...plans.default, name: 'slow', retireAfterMs: 600_000, readyTimeoutMs: 120_000 })
  })

  test('that is exclusive has no steps', () => {
    const { plans } = rollout('{ plans: { alone: { strategy: exclusive } } }')
    assert.deepEqual([plans.alone?.strategy, plans.alone?.steps], ['exclusive', []])
  })

  test('may take the place of one that is always there, and be the one that is taken', () => {
    const { plan, plans } = rollout('{ plan: at-once, plans: { default: { steps: [bake] } } }')
    assert.equal(plan, 'at-once')
    assert.deepEqual(Object.keys(plans), ['default', 'at-once', 'manual'])
    assert.deepEqual(
      plans.default?.steps.map(({ is }) => is),
      ['bake'],
    )
  })
})

describe('a plan is refused', () => {
  const cases: readonly (readonly [what: string, rollout: string, ...faults: string[]])[] = [
    [
      'when it ends without bake',
      '{ plans: { p: { steps: [10, 50] } } }',
      ':4:38 rollout.plans.p.steps[1]: found 50, expected bake as the last step (all traffic on the new version, the old one warm; for: 0s waits for nothing)',
    ],
    [
      'when it bakes in between',
      '{ plans: { p: { steps: [bake, bake] } } }',
      ':4:34 rollout.plans.p.steps[0]: found bake, expected another step than bake (bake is the last step)',
    ],
    [
      'when a weight shrinks or stays',
      '{ plans: { p: { steps: [10, 5, 5, bake] } } }',
      ':4:38 rollout.plans.p.steps[1]: found 5, expected a weight above 10 (steps[0] is 10)',
      ':4:41 rollout.plans.p.steps[2]: found 5, expected a weight above 5 (steps[1] is 5)',
    ],
    [
      'when header-only comes late',
      '{ plans: { p: { steps: [10, header-only, bake] } } }',
      ':4:38 rollout.plans.p.steps[1]: found header-only, expected header-only as the first step (steps[0] is 10)',
    ],
    ['without a step', '{ plans: { p: { steps: [] } } }', ':4:33 rollout.plans.p.steps: found an empty list, expected at least 1 entry'],
    [
      'that is exclusive and has steps',
      '{ plans: { p: { strategy: exclusive, steps: [bake] } } }',
      ':4:24 rollout.plans.p: found steps, expected no steps beside strategy: exclusive (the two versions never serve at once)',
    ],
    ['that is not there', '{ plan: manuel }', ':4:18 rollout.plan: found "manuel", expected the name of a plan (did you mean manual?)'],
    [
      'with a step of two kinds',
      '{ plans: { p: { steps: [{ weight: 5, bake: true }] } } }',
      ':4:34 rollout.plans.p.steps[0]: found weight and bake, expected exactly one of weight, headerOnly, bake',
    ],
    [
      'with a misspelt word',
      '{ plans: { p: { steps: [headeronly, bake] } } }',
      ':4:34 rollout.plans.p.steps[0]: found "headeronly", expected header-only or bake, a weight above 0 and up to 100 or a mapping (did you mean header-only?)',
    ],
    [
      'with a weight as a text',
      '{ plans: { p: { steps: ["10%", bake] } } }',
      ':4:34 rollout.plans.p.steps[0]: found "10%", expected header-only or bake, a weight above 0 and up to 100 or a mapping (a percentage as a number, without quotes and "%")',
    ],
    [
      'with a weight of nothing, or of more than all',
      '{ plans: { p: { steps: [0, 101, bake] } } }',
      ':4:34 rollout.plans.p.steps[0]: found 0 (a number), expected a weight above 0 and up to 100 (write header-only)',
      ':4:37 rollout.plans.p.steps[1]: found 101 (a number), expected a weight above 0 and up to 100',
    ],
    [
      'for its steps, while another key is wrong as well',
      '{ plan: gone, plans: { p: { steps: [10] }, q: { readyTimeout: 5 } } }',
      ':4:18 rollout.plan: found "gone", expected the name of a plan (there is default, at-once, manual, p, q)',
      ':4:46 rollout.plans.p.steps[0]: found 10, expected bake as the last step (all traffic on the new version, the old one warm; for: 0s waits for nothing)',
      ':4:72 rollout.plans.q.readyTimeout: found 5 (a number), expected a duration from 1ms to 24h (give it a unit: 5ms or 5s)',
    ],
  ]
  for (const [what, text, ...faults] of cases) {
    test(what, () => {
      const said = faultsOf(`${minimal}rollout: ${text}\n`).map((fault) => formatConfigFault(fault).replace(/^baton\.yaml/, ''))
      assert.deepEqual(said, faults)
    })
  }
})
