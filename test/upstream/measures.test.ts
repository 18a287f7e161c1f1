/** What the exchanges of a version came to, over a window. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Measures } from '../../src/upstream/measures.ts'

const half = 30_000

/** Sixteen buckets to a doubling, read in their middle. */
function near(found: number | null, expected: number): void {
  assert.ok(found !== null && Math.abs(found - expected) <= Math.max(0.0005, expected * 0.032), `${found} is not near ${expected}`)
}

describe('durations', () => {
  test('percentiles are those of what was recorded', () => {
    const measures = new Measures()
    for (let ms = 1; ms <= 100; ms += 1) measures.record('answered', ms, 1_000)
    near(measures.p95Ms(half, 1_000, []), 95)
    const { p50, p99, timed } = measures.measure(half, 1_000)
    near(p50, 50)
    near(p99, 99)
    assert.equal(timed, 100)
  })

  test('any one is read within 3.2 %, from a microsecond to an hour', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 6.55, noNaN: true }), (exponent) => {
        const ms = 10 ** exponent
        const measures = new Measures()
        measures.record('answered', ms, 0)
        near(measures.measure(half, 0).p99, ms)
      }),
    )
  })

  test('a longer one is never read as shorter', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), fc.double({ min: 0, max: 1e7, noNaN: true }), (a, b) => {
        const read = (ms: number) => {
          const measures = new Measures()
          measures.record('answered', ms, 0)
          return measures.measure(half, 0).p50 ?? -1
        }
        assert.ok(read(Math.min(a, b)) <= read(Math.max(a, b)))
      }),
    )
  })

  test('are null where nothing was timed, and 0 for a drain', () => {
    const measures = new Measures()
    measures.record('answered', -1, 1_000)
    assert.deepEqual(measures.measure(half, 1_000), {
      requests: 1,
      errors: 0,
      errorsByKind: { status: 0, connect: 0, timeout: 0, reset: 0, protocol: 0 },
      p50: null,
      p99: null,
      p99Low: null,
      timed: 0,
    })
    assert.equal(measures.p95Ms(half, 1_000, []), 0)
  })

  test('tell what the p99 is at least, whatever chance did: of few requests little, of many nearly all', () => {
    const low = (slow: number, count: number) => {
      const measures = new Measures()
      for (let each = 0; each < count; each += 1) measures.record('answered', each < slow ? 1_000 : 10, 1_000)
      const { p99, p99Low } = measures.measure(half, 1_000)
      return [p99, p99Low].map((ms) => (ms ?? 0) > 500)
    }
    assert.deepEqual(low(3, 100), [true, false])
    assert.deepEqual(low(5, 100), [true, true])
    assert.deepEqual(low(12, 600), [true, false])
    assert.deepEqual(low(14, 600), [true, true])
    assert.deepEqual(low(120, 10_000), [true, false])
    assert.deepEqual(low(140, 10_000), [true, true])
  })

  test('take nothing at all, and a week', () => {
    const measures = new Measures()
    measures.record('answered', 0, 1_000)
    assert.equal(measures.measure(half, 1_000).p99, 0)
    measures.record('answered', 7 * 86_400_000, 1_000)
    assert.ok((measures.measure(half, 1_000).p99 ?? 0) > 3_600_000)
  })
})

describe('what is under way', () => {
  test('counts for a drain, without being kept', () => {
    const measures = new Measures()
    measures.record('answered', 10, 1_000)
    near(measures.p95Ms(half, 1_000, [4_000, 5_000]), 5_000)
    near(measures.p95Ms(half, 1_000, []), 10)
  })

  test('counts in the percentiles once it has outlasted the p99, so that a version that hangs is seen', () => {
    const measures = new Measures()
    for (let count = 0; count < 1_000; count += 1) measures.record('answered', 10, 1_000)
    const quick = measures.measure(half, 1_000, new Array(500).fill(5))
    near(quick.p50, 10)
    assert.equal(quick.timed, 1_000)
    const hung = measures.measure(half, 1_000, new Array(50).fill(3_000))
    near(hung.p50, 10)
    near(hung.p99, 3_000)
    assert.deepEqual([hung.timed, hung.requests], [1_050, 1_000])
  })

  test('is all there is where nothing has ended', () => near(new Measures().measure(half, 1_000, [700]).p99, 700))
})

describe('a window', () => {
  test('is of whole slices of two seconds, and forgets the oldest one whole', () => {
    const measures = new Measures()
    for (const at of [500, 1_999, 2_000, 60_000]) measures.record('answered', 1, at)
    assert.equal(measures.measure(60_000, 60_000).requests, 4)
    assert.equal(measures.measure(60_000, 60_001).requests, 2)
    assert.equal(measures.measure(60_000, 62_001).requests, 1)
    assert.equal(measures.measure(0, 62_001).requests, 0)
    assert.equal(measures.measure(0, 61_000).requests, 1, 'the present slice is always in it')
  })

  test('reaches five minutes back; a slice that comes round again begins empty, also after a long silence', () => {
    const measures = new Measures()
    for (let second = 0; second < 900; second += 1) measures.record(second % 10 === 0 ? 'status' : 'answered', 5, second * 1_000)
    const { requests, errors, timed } = measures.measure(300_000, 899_999)
    assert.deepEqual([requests, errors, timed], [300, 30, 300])
    measures.record('answered', 7, 3_600_000)
    assert.equal(measures.measure(298_000, 3_600_000).requests, 1)
  })
})

describe('failures', () => {
  test('are counted by kind, and what is asked again of the same version is not counted at all', () => {
    const measures = new Measures()
    for (const kind of ['status', 'status', 'connect', 'timeout', 'reset', 'protocol', 'answered', 'repeated'] as const) {
      measures.record(kind, 1, 0)
    }
    const { requests, errors, errorsByKind, timed } = measures.measure(half, 0)
    assert.deepEqual([requests, errors, timed], [7, 6, 7])
    assert.deepEqual(errorsByKind, { status: 2, connect: 1, timeout: 1, reset: 1, protocol: 1 })
  })

  test('are exact whatever their order and time', () => {
    const outcomes = fc.constantFrom('answered', 'status', 'connect', 'timeout', 'reset', 'protocol', 'repeated')
    const events = fc.array(fc.tuple(outcomes, fc.integer({ min: 0, max: 3_000_000 }), fc.integer({ min: -1, max: 9_999 })))
    fc.assert(
      fc.property(events, fc.integer({ min: 0, max: 290_000 }), (list, windowMs) => {
        const measures = new Measures()
        const sorted = [...list].sort((a, b) => a[1] - b[1])
        for (const [outcome, at, ms] of sorted) measures.record(outcome, ms, at)
        const now = sorted.at(-1)?.[1] ?? 0
        const inside = sorted.filter(
          ([what, at]) => what !== 'repeated' && Math.floor(at / 2_000) * 2_000 >= Math.min(now - windowMs, now - (now % 2_000)),
        )
        const found = measures.measure(windowMs, now)
        assert.equal(found.requests, inside.length)
        assert.equal(found.errors, inside.filter(([what]) => what !== 'answered').length)
        assert.equal(found.timed, inside.filter(([, , ms]) => ms >= 0).length)
      }),
    )
  })
})
