/** The verdict, by the tables of DESIGN.md section 7. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Traffic } from '../../src/rollout/measurements.ts'
import { defaultPolicy, type Policy, type SignalName, signalNames } from '../../src/rollout/policy.ts'
import { evaluate, noMemory, type SignalVerdict, type Verdict, type VerdictMemory } from '../../src/rollout/verdict.ts'
import { breaches, breaching, cpuUse, type Moment, moment, policyWith, traffic, verdictOf } from './verdict-fixture.ts'

function signal(name: SignalName, { signals }: Verdict): SignalVerdict {
  const found = signals.find((one) => one.signal === name)
  assert.ok(found)
  return found
}

test('a calm moment passes, says so with its numbers, and lets the plan advance', () => {
  assert.deepEqual(verdictOf(), {
    at: 60_000,
    is: 'pass',
    level: null,
    hardStop: null,
    signals: [
      {
        signal: 'errorRate',
        is: 'pass',
        observed: 0,
        limit: 0.003,
        why: '0% of 1000 requests failed, within 0.3% (stable 0%)',
        required: true,
        dryRun: false,
        counts: true,
        breachForMs: null,
      },
      {
        signal: 'latency',
        is: 'pass',
        observed: 50,
        limit: 250,
        why: 'p99 50ms, within 250ms (stable 50ms)',
        required: true,
        dryRun: false,
        counts: true,
        breachForMs: null,
      },
      {
        signal: 'cpu',
        is: 'pass',
        observed: 0.5,
        limit: 0.9,
        why: '50% of one core over 15s, within 90%',
        required: true,
        dryRun: false,
        counts: true,
        breachForMs: null,
      },
    ],
    required: ['errorRate', 'latency', 'cpu'],
    absent: [],
    mayAdvance: true,
    noData: null,
    next: null,
    cpuPerRequestMs: { candidate: 2, stable: 2 },
    why: 'errorRate: 0% of 1000 requests failed, within 0.3% (stable 0%); latency: p99 50ms, within 250ms (stable 50ms); cpu: 50% of one core over 15s, within 90%',
  })
})

type Row = readonly [what: string, moment: Moment, is: SignalVerdict['is'], why: string]

function rows(name: SignalName, cases: readonly Row[], policy: Policy = defaultPolicy): void {
  for (const [what, given, is, why] of cases) {
    test(what, () => {
      const found = signal(name, verdictOf(given, policy))
      assert.deepEqual([found.is, found.why], [is, why])
    })
  }
}

const candidate = (given: Partial<Traffic>) => ({ candidate: { traffic: traffic(given) } })

describe('the error rate', () => {
  rows('errorRate', [
    ['at three times the floor passes', candidate({ errors: 3 }), 'pass', '0.3% of 1000 requests failed, within 0.3% (stable 0%)'],
    [
      'above it by chance passes',
      candidate({ requests: 300, errors: 1 }),
      'pass',
      '0.333% of 300 requests failed, by no more than chance above 0.3% (stable 0%)',
    ],
    ['above it by more than chance breaches', candidate({ errors: 4 }), 'breach', '0.4% of 1000 requests failed, above 0.3% (stable 0%)'],
    [
      'at three times stable’s passes',
      { ...candidate({ errors: 30 }), stable: { long: traffic({ requests: 5_000, errors: 50 }) } },
      'pass',
      '3% of 1000 requests failed, within 3% (stable 1%)',
    ],
    [
      'above it by chance passes',
      { ...candidate({ errors: 34 }), stable: { long: traffic({ requests: 5_000, errors: 50 }) } },
      'pass',
      '3.4% of 1000 requests failed, by no more than chance above 3% (stable 1%)',
    ],
    [
      'above it by more than chance breaches',
      { ...candidate({ errors: 35 }), stable: { long: traffic({ requests: 5_000, errors: 50 }) } },
      'breach',
      '3.5% of 1000 requests failed, above 3% (stable 1%)',
    ],
    [
      'above that of a stable that erred once in 290, as it may at 1 %, passes',
      { ...candidate({ requests: 290, errors: 6 }), stable: { long: traffic({ requests: 290, errors: 1 }) } },
      'pass',
      '2.07% of 290 requests failed, by no more than chance above 1.03% (stable 0.345%)',
    ],
    [
      'of few requests that is above a sure stable’s by chance passes',
      { ...candidate({ requests: 29, errors: 1 }), stable: { long: traffic({ requests: 290_000, errors: 2_900 }) } },
      'pass',
      '3.45% of 29 requests failed, by no more than chance above 3% (stable 1%)',
    ],
    [
      'of many requests is held against what a quiet stable’s may be',
      { ...candidate({ requests: 290_000, errors: 4_640 }), stable: { long: traffic({ requests: 290, errors: 1 }) } },
      'pass',
      '1.6% of 290000 requests failed, by no more than chance above 1.03% (stable 0.345%)',
    ],
    [
      'that no chance explains breaches, however quiet stable is',
      { ...candidate({ requests: 290, errors: 7 }), stable: { long: traffic({ requests: 290, errors: 1 }) } },
      'breach',
      '2.41% of 290 requests failed, above 1.03% (stable 0.345%)',
    ],
    [
      'of too few requests is inconclusive',
      candidate({ requests: 19, errors: 19 }),
      'inconclusive',
      '19 of the 20 requests that a rate needs',
    ],
    ['of none is inconclusive', candidate({ requests: 0 }), 'inconclusive', '0 of the 20 requests that a rate needs'],
    [
      'is held against the time before the upgrade once stable has no traffic',
      { ...candidate({ errors: 30 }), stable: { long: traffic({ requests: 3, errors: 3 }) }, baseline: traffic({ errors: 20 }) },
      'pass',
      '3% of 1000 requests failed, within 6% (stable 2%)',
    ],
    [
      'is held against the floor where nothing of stable is known',
      { ...candidate({ errors: 4 }), stable: { long: traffic({ requests: 0 }) } },
      'breach',
      '0.4% of 1000 requests failed, above 0.3% (stable is not known)',
    ],
  ])
})

describe('the error rate without a floor', () => {
  const noFloor = policyWith({ errorRate: { floor: 0 } })
  const unknown = { long: traffic({ requests: 0 }) }
  rows(
    'errorRate',
    [
      ['of nothing passes', { stable: unknown }, 'pass', '0% of 1000 requests failed, within 0% (stable is not known)'],
      [
        'of one error breaches',
        { ...candidate({ errors: 1 }), stable: unknown },
        'breach',
        '0.1% of 1000 requests failed, above 0% (stable is not known)',
      ],
    ],
    noFloor,
  )
})

describe('the latency', () => {
  rows('latency', [
    ['at the limit passes', candidate({ p99: 250 }), 'pass', 'p99 250ms, within 250ms (stable 50ms)'],
    ['above it breaches', candidate({ p99: 251 }), 'breach', 'p99 251ms, above 250ms (stable 50ms)'],
    [
      'above it by chance passes',
      candidate({ p99: 1_000, p99Low: 250 }),
      'pass',
      'p99 1000ms, by no more than chance above 250ms (stable 50ms)',
    ],
    ['above it by more than chance breaches', candidate({ p99: 1_000, p99Low: 251 }), 'breach', 'p99 1000ms, above 250ms (stable 50ms)'],
    [
      'of too few requests is inconclusive',
      candidate({ timed: 99, p99: 9_000 }),
      'inconclusive',
      '99 of the 100 requests that a p99 needs',
    ],
    [
      'of streams alone is inconclusive',
      candidate({ timed: 0, p50: null, p99: null }),
      'inconclusive',
      '0 of the 100 requests that a p99 needs',
    ],
    [
      'of a version that hangs is that of what is under way',
      candidate({ requests: 0, timed: 120, p99: 4_000, inFlight: 120 }),
      'breach',
      'p99 4000ms, above 250ms (stable 50ms)',
    ],
    [
      'is held against the time before the upgrade once stable has too little traffic',
      { ...candidate({ p99: 280 }), stable: { same: traffic({ timed: 99 }) }, baseline: traffic({ p99: 90 }) },
      'pass',
      'p99 280ms, within 290ms (stable 90ms before the upgrade)',
    ],
    [
      'is inconclusive with nothing to compare it with',
      { stable: { same: traffic({ requests: 0 }) } },
      'inconclusive',
      'p99 50ms, and nothing of stable to compare it with',
    ],
    [
      'is inconclusive where the time before was too quiet as well',
      { stable: { same: traffic({ requests: 0 }) }, baseline: traffic({ timed: 99 }) },
      'inconclusive',
      'p99 50ms, and nothing of stable to compare it with',
    ],
  ])
})

describe('the CPU', () => {
  rows('cpu', [
    ['at the limit passes', { candidate: { cpu: cpuUse(0.9) } }, 'pass', '90% of one core over 15s, within 90%'],
    ['above it breaches', { candidate: { cpu: cpuUse(0.91) } }, 'breach', '91% of one core over 15s, above 90%'],
    [
      'is of the cgroup’s limit',
      { candidate: { cpu: { ...cpuUse(0.95), limitCores: 2.5 } } },
      'breach',
      '95% of 2.5 cores over 15s, above 90%',
    ],
    [
      'that is not known for long enough is inconclusive',
      { candidate: { cpu: cpuUse(1, 14_999) } },
      'inconclusive',
      '100% of one core, known for 14s of 15s',
    ],
    [
      'of before the step does not count',
      { at: 14_000, candidate: { cpu: cpuUse(1) } },
      'inconclusive',
      '100% of one core, known for 14s of 15s',
    ],
    ['that cannot be known is absent', { candidate: { cpu: null } }, 'absent', 'the CPU of this version cannot be known'],
  ])
})

describe('while a step is young', () => {
  const young: Moment = { at: 4_999, candidate: breaching(['errorRate', 'latency']) }
  rows('latency', [
    ['a signal is inconclusive', young, 'inconclusive', 'warming up, 4s of 5s'],
    ['and no longer', { ...young, at: 5_000 }, 'breach', 'p99 300ms, above 250ms (stable 50ms)'],
  ])
  test('nothing is done', () => assert.deepEqual([verdictOf(young).level, verdictOf(young).is], [null, 'inconclusive']))
  test('a hard stop is one', () => {
    assert.equal(verdictOf({ at: 1, candidate: { exits: 1 } }).level, 'L1')
    assert.equal(verdictOf({ at: 1, ...candidate({ requests: 20, errors: 4 }) }).level, 'L1')
  })
  test('what is absent is absent', () => assert.deepEqual(verdictOf({ at: 0, candidate: { cpu: null } }).absent, ['cpu']))
})

describe('levels', () => {
  const table: readonly (readonly [required: readonly SignalName[], levels: readonly Verdict['level'][]])[] = [
    [signalNames, [null, 'L3', 'L2', 'L1']],
    [
      ['errorRate', 'latency'],
      [null, 'L3', 'L1'],
    ],
    [
      ['latency', 'cpu'],
      [null, 'L3', 'L1'],
    ],
    [['errorRate'], [null, 'L2']],
    [['cpu'], [null, 'L2']],
  ]
  for (const [required, levels] of table) {
    for (const [count, level] of levels.entries()) {
      test(`${count} of ${required.length} required (${required.join(', ')}) in breach: ${level ?? 'none'}`, () => {
        const parts = Object.fromEntries(signalNames.map((name) => [name, { required: required.includes(name) }]))
        const verdict = verdictOf({ candidate: breaching(required.slice(0, count)) }, policyWith(parts))
        assert.deepEqual([verdict.level, verdict.mayAdvance, verdict.required], [level, count === 0, required])
      })
    }
  }

  test('an absent signal leaves the required set, and is named', () => {
    const two = verdictOf({ candidate: { ...breaching(['errorRate', 'latency']), cpu: null } })
    assert.deepEqual([two.level, two.required, two.absent], ['L1', ['errorRate', 'latency'], ['cpu']])
    const one = verdictOf({ candidate: { ...breaching(['errorRate']), cpu: null } })
    assert.equal(one.level, 'L3')
  })

  test('an inconclusive one stays in it', () => {
    const verdict = verdictOf({ candidate: { traffic: traffic({ requests: 50, errors: 5 }), cpu: cpuUse(0.1, 3_000) } })
    assert.deepEqual([verdict.is, verdict.level, verdict.required], ['breach', 'L3', signalNames])
  })

  test('with no required signal left nothing is done, and that is no success', () => {
    const policy = policyWith({ errorRate: { required: false }, latency: { required: false } })
    const verdict = verdictOf({ candidate: { ...breaching(['errorRate', 'latency']), cpu: null } }, policy)
    assert.deepEqual([verdict.is, verdict.level, verdict.why], ['inconclusive', null, 'no required signal is left'])
  })

  test('a signal that is not required is judged and shown, and not counted', () => {
    const verdict = verdictOf({ candidate: breaching(['cpu']) }, policyWith({ cpu: { required: false } }))
    assert.deepEqual([verdict.is, verdict.level, verdict.mayAdvance], ['pass', null, true])
    assert.deepEqual([signal('cpu', verdict).is, signal('cpu', verdict).counts], ['breach', false])
  })

  test('a dry run is judged and shown, and not counted', () => {
    const verdict = verdictOf({ candidate: breaching(['latency']) }, policyWith({ latency: { dryRun: true } }))
    assert.deepEqual([verdict.is, verdict.level, verdict.mayAdvance, verdict.required], ['pass', null, true, ['errorRate', 'cpu']])
    assert.deepEqual([signal('latency', verdict).is, signal('latency', verdict).counts], ['breach', false])
  })

  test('of an analysis that is not enabled there is none, nor a hard stop, and everything is shown', () => {
    const verdict = verdictOf({ candidate: { ...breaching(signalNames), exits: 3 } }, policyWith({ enabled: false }))
    assert.deepEqual([verdict.level, verdict.hardStop, verdict.mayAdvance], [null, null, true])
    assert.deepEqual(
      verdict.signals.map(({ is }) => is),
      ['breach', 'breach', 'breach'],
    )
  })
})

/** Looks at the same moment once a second for `seconds`; the level of each look. */
function watch(given: Moment, seconds: number, policy: Policy = defaultPolicy, first: VerdictMemory = noMemory) {
  const verdicts: Verdict[] = []
  let memory = first
  for (let second = 0; second <= seconds; second += 1) {
    const looked = evaluate(policy, moment({ ...given, at: (given.at ?? 60_000) + second * 1_000 }), memory)
    verdicts.push(looked.verdict)
    memory = looked.memory
  }
  return { verdicts, memory, last: verdicts.at(-1) ?? verdictOf(given) }
}

describe('a breach that lasts', () => {
  const one: Moment = { candidate: breaching(['errorRate']) }

  test('acts one level higher after a minute, and again after the next', () => {
    const { verdicts } = watch(one, 180)
    assert.deepEqual(
      [0, 59, 60, 119, 120, 180].map((second) => verdicts[second]?.level),
      ['L3', 'L3', 'L2', 'L2', 'L1', 'L1'],
    )
  })

  test('says for how long it has lasted, and what happens when', () => {
    const { verdicts } = watch(one, 120)
    assert.deepEqual(verdicts[45]?.next, { level: 'L2', inMs: 15_000 })
    assert.deepEqual(verdicts[70]?.next, { level: 'L1', inMs: 50_000 })
    assert.equal(verdicts[120]?.next, null)
    const at70 = verdicts[70]
    assert.equal(at70 && signal('errorRate', at70).breachForMs, 70_000)
  })

  test('of a level that begins higher has less far to go', () => {
    const { verdicts } = watch({ candidate: breaching(['errorRate', 'cpu']) }, 60)
    assert.deepEqual([verdicts[0]?.level, verdicts[59]?.level, verdicts[60]?.level], ['L2', 'L2', 'L1'])
  })

  test('begins anew after a pass', () => {
    const { memory } = watch(one, 59)
    const { memory: passed } = watch({ at: 120_000 }, 0, defaultPolicy, memory)
    assert.deepEqual(passed, noMemory)
    assert.equal(watch({ ...one, at: 121_000 }, 59, defaultPolicy, passed).last.level, 'L3')
  })

  test('neither ends nor grows older while nothing can be said', () => {
    const { memory } = watch(one, 50)
    const quiet = watch({ ...candidate({ requests: 5 }), at: 111_000 }, 600, defaultPolicy, memory)
    assert.deepEqual([quiet.last.level, quiet.last.mayAdvance], [null, true])
    const again = watch({ ...one, at: 712_000 }, 10, defaultPolicy, quiet.memory)
    assert.deepEqual([again.verdicts[9]?.level, again.verdicts[10]?.level], ['L3', 'L2'])
  })

  test('does not rise because a clock was put back', () => {
    const { memory } = watch(one, 10)
    const { verdicts } = watch({ ...one, at: 30_000 }, 0, defaultPolicy, memory)
    const [verdict] = verdicts
    assert.equal(verdict && signal('errorRate', verdict).breachForMs, 10_000)
  })

  test('of a dry run is told, and raises nothing', () => {
    const policy = policyWith({ latency: { dryRun: true } })
    const { last } = watch({ candidate: breaching(['latency']) }, 200, policy)
    assert.deepEqual([last.level, signal('latency', last).breachForMs], [null, 200_000])
  })
})

describe('a hard stop', () => {
  const cases: readonly (readonly [what: string, moment: Moment, is: string, why: string])[] = [
    ['its process ended', { candidate: { exits: 1 } }, 'exit', 'its process ended by itself'],
    ['its process ended again and again', { candidate: { exits: 3 } }, 'exit', 'its process ended by itself, 3 times'],
    ['not ready for ten seconds', { candidate: { notReadyMs: 10_000 } }, 'not-ready', 'not ready for 10s'],
    [
      'a fifth of its requests failed',
      candidate({ requests: 20, errors: 4 }),
      'error-rate',
      '20% of 20 requests failed, and 20% is a hard stop',
    ],
  ]
  for (const [what, given, is, why] of cases) {
    test(`${what}: rollback at once`, () => {
      const verdict = verdictOf(given)
      assert.deepEqual([verdict.is, verdict.level, verdict.mayAdvance, verdict.next], ['breach', 'L1', false, null])
      assert.deepEqual([verdict.hardStop, verdict.why], [{ is, why }, why])
    })
  }
  const none: readonly (readonly [what: string, moment: Moment])[] = [
    ['not ready for less', { candidate: { notReadyMs: 9_999 } }],
    ['too few requests', candidate({ requests: 19, errors: 19 })],
    ['just under a fifth', candidate({ requests: 1_000, errors: 199 })],
    ['no request', candidate({ requests: 0 })],
  ]
  for (const [what, given] of none) test(`${what}: none`, () => assert.equal(verdictOf(given).hardStop, null))
  test('can be turned off', () => {
    const policy = policyWith({ hardStops: { errorRate: 0, notReadyMs: 0, exit: false } })
    const given = { candidate: { traffic: traffic({ requests: 50, errors: 50 }), exits: 2, notReadyMs: 99_000 } }
    assert.equal(verdictOf(given, policy).hardStop, null)
  })
})

describe('where nothing was measured', () => {
  const nothing = traffic({ requests: 0 })
  test('a step with traffic waits by default', () => {
    const verdict = verdictOf({ candidate: { traffic: nothing } })
    assert.deepEqual([verdict.is, verdict.noData, verdict.mayAdvance, verdict.why], ['inconclusive', 'wait', false, 'nothing was measured'])
  })
  test('it goes on, or back, as the policy says', () => {
    const said = (onNoData: Policy['onNoData']) => verdictOf({ candidate: { traffic: nothing } }, policyWith({ onNoData }))
    assert.deepEqual([said('promote').noData, said('promote').mayAdvance], ['promote', true])
    assert.deepEqual([said('rollback').noData, said('rollback').mayAdvance], ['rollback', false])
  })
  test('it does not go on while requests hang', () => {
    const verdict = verdictOf({ candidate: { traffic: { ...nothing, inFlight: 3 } } }, policyWith({ onNoData: 'promote' }))
    assert.equal(verdict.mayAdvance, false)
  })
  test('no traffic is no verdict where none is given: header-only, and while degraded', () => {
    const verdict = verdictOf({ expectsTraffic: false, candidate: { traffic: nothing } })
    assert.deepEqual([verdict.is, verdict.noData, verdict.mayAdvance], ['inconclusive', null, true])
  })
  test('a breach of the CPU is one all the same', () => {
    const verdict = verdictOf({ candidate: { traffic: nothing, ...breaches.cpu } })
    assert.deepEqual([verdict.level, verdict.why], ['L3', 'cpu: 95% of one core over 15s, above 90%'])
  })
})

test('too few requests are neither success nor breach: the plan may go on', () => {
  const verdict = verdictOf(candidate({ requests: 5, errors: 5 }))
  assert.deepEqual([verdict.is, verdict.level, verdict.mayAdvance], ['inconclusive', null, true])
})

test('verdict and memory are plain data: what is read back is what was written', () => {
  const { verdict, memory } = evaluate(defaultPolicy, moment({ candidate: { ...breaching(signalNames), cpu: null } }), noMemory)
  assert.deepEqual(JSON.parse(JSON.stringify(verdict)), verdict)
  assert.deepEqual(JSON.parse(JSON.stringify(memory)), memory)
})
