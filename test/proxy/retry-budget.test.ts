/** The retry budget: a share of the exchanges of the last ten seconds, and always a few. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RetryBudget } from '../../src/proxy/retry-budget.ts'

const settings = { budget: 0.2, min: 3 }

function taken(budget: RetryBudget, now: number, given = settings): number {
  let count = 0
  while (budget.take(now, given)) count += 1
  return count
}

function begun(budget: RetryBudget, count: number, now: number): void {
  for (let each = 0; each < count; each += 1) budget.began(now)
}

test('a few retries are allowed even without traffic', () => {
  assert.equal(taken(new RetryBudget(), 0), 3)
})

test('with traffic, a share of it', () => {
  const budget = new RetryBudget()
  begun(budget, 100, 0)
  assert.equal(taken(budget, 0), 20)
})

test('a budget of nothing allows nothing', () => {
  const budget = new RetryBudget()
  begun(budget, 100, 0)
  assert.equal(taken(budget, 0, { budget: 0, min: 0 }), 0)
})

test('exchanges and retries count for ten seconds, and no longer', () => {
  const budget = new RetryBudget()
  begun(budget, 100, 500)
  assert.equal(taken(budget, 9_999), 20)
  assert.equal(taken(budget, 10_000), 0, 'the exchanges have left the window, the retries have not')
  assert.equal(taken(budget, 19_999), 3)
})

test('after a long silence everything is forgotten', () => {
  const budget = new RetryBudget()
  begun(budget, 1_000, 0)
  taken(budget, 0)
  assert.equal(taken(budget, 3_600_000), 3)
})

/** So small that each single count matters. */
const tight = { budget: 0.2, min: 1 }

test('what it allows is what a list of times would allow', () => {
  const step = fc.record({ is: fc.constantFrom('began' as const, 'take' as const), afterMs: fc.oneof(fc.nat(3_000), fc.nat(30_000)) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const budget = new RetryBudget()
      let now = 0
      let exchanges: number[] = []
      let retries: number[] = []
      for (const { is, afterMs } of steps) {
        now += afterMs
        const recent = (second: number) => second > Math.trunc(now / 1000) - 10
        exchanges = exchanges.filter(recent)
        retries = retries.filter(recent)
        if (is === 'began') {
          budget.began(now)
          exchanges.push(Math.trunc(now / 1000))
        } else {
          const allowed = retries.length < Math.max(tight.min, tight.budget * exchanges.length)
          assert.equal(budget.take(now, tight), allowed)
          if (allowed) retries.push(Math.trunc(now / 1000))
        }
      }
    }),
    { seed: 3 },
  )
})
