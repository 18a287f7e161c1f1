/** The simulation itself: the same seed is the same history, and what nobody could misjudge is not misjudged. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Chance } from '../../bench/verdict/chance.ts'
import { type History, run } from '../../bench/verdict/history.ts'
import { badServices, goodServices, type Service } from '../../bench/verdict/service.ts'
import { tableOf } from '../../bench/verdict/table.ts'
import { defaultPolicy } from '../../src/rollout/policy.ts'
import { plan, planStep } from '../rollout/upgrade-fixture.ts'

const steps = plan({ steps: [10, 100].map((weight) => planStep({ weight, forMs: 30_000, manual: false })) })

function named(services: readonly Service[], name: string): Service {
  const found = services.find((service) => service.name === name)
  assert.ok(found, name)
  return found
}

function histories(service: Service, perSecond: number, count = 5): History[] {
  return Array.from({ length: count }, (_, seed) => run(defaultPolicy, steps, service, perSecond, new Chance(seed)))
}

describe('the simulation', () => {
  test('has the same history for the same seed, and another for another', () => {
    const service = named(goodServices, 'bursts that hit both')
    const once = histories(service, 20)
    assert.deepEqual(histories(service, 20), once)
    assert.ok(new Set(once.map((history) => JSON.stringify(history))).size > 1)
  })

  test('promotes a version without a fault', () => {
    for (const history of histories(named(goodServices, 'no errors'), 50)) {
      assert.deepEqual([history.end, history.degrades, history.failed], ['promoted', 0, 0])
    }
  })

  test('takes one back that always fails, within seconds', () => {
    for (const history of histories(named(badServices, 'errors +100 %'), 50)) {
      assert.equal(history.end, 'rolled back')
      assert.ok((history.seconds ?? 99) <= 15, `${history.seconds} s`)
    }
  })

  test('degrades one that is slow, and takes it back at last', () => {
    for (const history of histories(named(badServices, 'latency +1000 ms'), 100)) {
      assert.equal(history.end, 'rolled back')
      assert.ok(history.degrades > 0)
    }
  })

  test('tells a cell in one line', () => {
    const cell = { service: 's', perSecond: 5, histories: [{ end: 'rolled back', seconds: 4, failed: 7, degrades: 1 } as const] }
    assert.equal(tableOf([cell]).split('\n').at(-1), '| s | 5 | 100 % | 0 % | 0 % | 100 % | 4 | 4 | 7 |')
  })
})
