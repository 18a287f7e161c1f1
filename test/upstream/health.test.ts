/** What probes make of a version: every state against every outcome, and what holds after any run of them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { afterProbe, type Health, isUndecided, notReady, type Outcome, starting, trusted } from '../../src/upstream/health.ts'

const thresholds = { successThreshold: 3, failureThreshold: 2 }
const pass: Outcome = { is: 'pass' }
const fail: Outcome = { is: 'fail', reason: 'ECONNREFUSED' }

function after(health: Health, ...outcomes: readonly Outcome[]): Health {
  return outcomes.reduce((before, outcome, at) => afterProbe(before, outcome, thresholds, at + 1), health)
}

const is = (health: Health) => [health.probe.is, health.streak]

describe('starting', () => {
  test('becomes ready after the passes in a row that it takes', () => {
    assert.deepEqual(is(after(starting(0), pass, pass)), ['starting', 2])
    assert.deepEqual(after(starting(0), pass, pass, pass).probe, { is: 'ready', since: 3 })
  })
  test('a failure begins the row anew, and makes it nothing else', () => {
    assert.deepEqual(is(after(starting(0), pass, pass, fail, pass, pass)), ['starting', 2])
    assert.deepEqual(is(after(starting(0), fail, fail, fail, fail)), ['starting', 0])
  })
})

describe('ready', () => {
  test('becomes not-ready after the failures in a row that it takes, with the reason of the last', () => {
    assert.deepEqual(is(after(trusted(0), fail)), ['ready', 1])
    assert.deepEqual(after(trusted(0), fail, { is: 'fail', reason: 'late' }).probe, { is: 'not-ready', since: 2, reason: 'late' })
  })
  test('a pass begins the row anew', () => {
    assert.deepEqual(is(after(trusted(0), fail, pass, fail)), ['ready', 1])
  })
  test('keeps since when it is', () => {
    assert.deepEqual(after(trusted(0), pass, fail, pass, pass).probe, { is: 'ready', since: 0 })
  })
})

describe('not-ready', () => {
  test('becomes ready after the passes in a row that it takes', () => {
    assert.deepEqual(is(after(notReady('x', 0), pass, pass)), ['not-ready', 2])
    assert.deepEqual(after(notReady('x', 0), pass, pass, pass).probe, { is: 'ready', since: 3 })
  })
  test('a failure begins the row anew; a new reason is told, since when stays', () => {
    assert.deepEqual(after(notReady('x', 0), pass, pass, fail), { probe: { is: 'not-ready', since: 0, reason: 'ECONNREFUSED' }, streak: 0 })
    assert.deepEqual(is(after(notReady('ECONNREFUSED', 0), pass, fail)), ['not-ready', 0])
  })
})

test('undecided, and so probed fast: while starting, and while a change is pending', () => {
  assert.equal(isUndecided(starting(0)), true)
  assert.equal(isUndecided(trusted(0)), false)
  assert.equal(isUndecided(after(trusted(0), fail)), true)
  assert.equal(isUndecided(notReady('x', 0)), false)
  assert.equal(isUndecided(after(notReady('x', 0), pass)), true)
})

test('after any run: ready only by enough passes in a row, not-ready only by enough failures in a row, starting never again', () => {
  const outcome = fc.constantFrom<Outcome>(pass, fail, { is: 'fail', reason: 'late' })
  const limits = fc.record({ successThreshold: fc.integer({ min: 1, max: 4 }), failureThreshold: fc.integer({ min: 1, max: 4 }) })
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 40, size: 'max' }), limits, (outcomes, given) => {
      let health = starting(0)
      let row = 0
      let last: Outcome['is'] | null = null
      for (const [at, each] of outcomes.entries()) {
        const before = health.probe.is
        row = each.is === last ? row + 1 : 1
        last = each.is
        health = afterProbe(health, each, given, at)
        const now = health.probe.is
        if (before === 'ready') assert.equal(now === 'not-ready', each.is === 'fail' && row >= given.failureThreshold)
        else assert.equal(now === 'ready', each.is === 'pass' && row >= given.successThreshold)
        if (before !== 'starting') assert.notEqual(now, 'starting')
      }
    }),
    { seed: 3 },
  )
})
