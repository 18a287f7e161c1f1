/** The p95 of the last half a minute. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentDurations } from '../../src/upstream/recent-durations.ts'

/** Two digits are kept. */
function near(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) <= expected * 0.02, `${found} is not near ${expected}`)
}

test('is that of what was recorded', () => {
  const durations = new RecentDurations()
  for (let ms = 1; ms <= 100; ms += 1) durations.record(ms, 1_000)
  near(durations.p95Ms(1_000, []), 95)
})

test('is 0 where nothing was', () => assert.equal(new RecentDurations().p95Ms(0, []), 0))

test('covers three slices of ten seconds and forgets the oldest one whole', () => {
  const durations = new RecentDurations()
  durations.record(500, 5_000)
  durations.record(20, 15_000)
  durations.record(10, 25_000)
  near(durations.p95Ms(29_999, []), 500)
  near(durations.p95Ms(30_000, []), 20)
  near(durations.p95Ms(40_000, []), 10)
  assert.equal(durations.p95Ms(50_000, []), 0)
})

test('a slice that comes round again begins empty, also after a long silence', () => {
  const durations = new RecentDurations()
  durations.record(900, 5_000)
  durations.record(10, 35_000)
  near(durations.p95Ms(35_000, []), 10)
  durations.record(7, 3_605_000)
  near(durations.p95Ms(3_605_000, []), 7)
})

test('ages of what is under way count, without being kept', () => {
  const durations = new RecentDurations()
  durations.record(10, 1_000)
  near(durations.p95Ms(1_000, [4_000, 5_000]), 5_000)
  near(durations.p95Ms(1_000, []), 10)
})

test('takes what no histogram would: nothing at all, and a week', () => {
  const durations = new RecentDurations()
  durations.record(0, 1_000)
  assert.ok(durations.p95Ms(1_000, []) <= 0.001)
  durations.record(7 * 86_400_000, 1_000)
  near(durations.p95Ms(1_000, []), 3_600_000)
})
