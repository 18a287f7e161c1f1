/** What holds of every verdict, whatever was measured and whatever the policy says. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CpuUse, Measurements, Traffic } from '../../src/rollout/measurements.ts'
import { type Policy, type SignalName, signalNames } from '../../src/rollout/policy.ts'
import { evaluate, noMemory, type Verdict, type VerdictMemory } from '../../src/rollout/verdict.ts'

const count = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 1_000_000 }))
const ms = fc.double({ min: 0, max: 3_600_000, noNaN: true })
const share = fc.double({ min: 0, max: 1, noNaN: true })
const positive = fc.integer({ min: 1, max: 120_000 })

const traffic: fc.Arbitrary<Traffic> = fc
  .record({ requests: count, failed: share, p50: ms, more: ms, timed: count, inFlight: count })
  .map(({ requests, failed, p50, more, timed, inFlight }) => ({
    requests,
    errors: Math.floor(requests * failed),
    p50: timed === 0 ? null : p50,
    p99: timed === 0 ? null : p50 + more,
    timed,
    inFlight,
  }))
const cpu: fc.Arbitrary<CpuUse | null> = fc.option(
  fc.record({
    share: fc.double({ min: 0, max: 4, noNaN: true }),
    overMs: positive,
    limitCores: fc.constant(1),
    perRequestMs: fc.constant(null),
  }),
)
const measurements: fc.Arbitrary<Measurements> = fc.record({
  at: fc.integer({ min: 0, max: 600_000 }),
  stepBeganAt: fc.constant(0),
  expectsTraffic: fc.boolean(),
  candidate: fc.record({ traffic, cpu, exits: fc.integer({ min: 0, max: 1 }), notReadyMs: fc.integer({ min: 0, max: 12_000 }) }),
  stable: fc.record({ long: traffic, same: traffic, cpu }),
  baseline: fc.option(traffic),
})
const flags = { required: fc.boolean(), dryRun: fc.boolean() }
const policies: fc.Arbitrary<Policy> = fc.record({
  enabled: fc.boolean(),
  windows: fc.constant({ candidateMs: 60_000, stableMs: 300_000 }),
  graceMs: fc.integer({ min: 0, max: 30_000 }),
  errorRate: fc.record({ ...flags, minRequests: positive, factor: fc.double({ min: 0.1, max: 10, noNaN: true }), floor: share }),
  latency: fc.record({ ...flags, minRequests: positive, addMs: positive }),
  cpu: fc.record({ ...flags, share, forMs: positive }),
  degrade: fc.constant({ forMs: 30_000, max: 2 }),
  escalateMs: positive,
  hardStops: fc.record({ errorRate: share, notReadyMs: fc.integer({ min: 0, max: 12_000 }), exit: fc.boolean() }),
  onNoData: fc.constantFrom('wait', 'promote', 'rollback'),
})
const breach = fc.record({
  at: fc.integer({ min: 0, max: 600_000 }),
  inBreach: fc.boolean(),
  lastedMs: fc.integer({ min: 0, max: 600_000 }),
})
const memories: fc.Arbitrary<VerdictMemory> = fc.record(
  { errorRate: breach, latency: breach, cpu: breach },
  { requiredKeys: [], noNullPrototype: true },
)

const severity = ({ level }: Verdict) => (level === null ? 0 : 4 - Number(level.slice(1)))

describe('a verdict', () => {
  test('is the same for the same', () => {
    fc.assert(
      fc.property(policies, measurements, memories, (policy, measured, memory) => {
        const given = JSON.stringify([policy, measured, memory])
        assert.deepEqual(evaluate(policy, measured, memory), evaluate(policy, measured, memory))
        assert.equal(JSON.stringify([policy, measured, memory]), given, 'it changes nothing of what it is given')
      }),
    )
  })

  test('is never milder for something worse', () => {
    const worse = fc.record({ errors: share, p99: ms, cpu: share, exits: fc.integer({ min: 0, max: 2 }), notReadyMs: positive })
    fc.assert(
      fc.property(policies, measurements, memories, worse, (policy, measured, memory, more) => {
        const { candidate } = measured
        const { requests, errors, p99 } = candidate.traffic
        const after: Measurements = {
          ...measured,
          candidate: {
            traffic: {
              ...candidate.traffic,
              errors: errors + Math.floor((requests - errors) * more.errors),
              p99: p99 === null ? null : p99 + more.p99,
            },
            cpu: candidate.cpu === null ? null : { ...candidate.cpu, share: candidate.cpu.share + more.cpu },
            exits: candidate.exits + more.exits,
            notReadyMs: candidate.notReadyMs + more.notReadyMs,
          },
        }
        const [was, is] = [evaluate(policy, measured, memory).verdict, evaluate(policy, after, memory).verdict]
        assert.ok(severity(is) >= severity(was), `${was.level} became ${is.level}`)
        assert.ok(was.mayAdvance || !is.mayAdvance)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is never milder later, while nothing gets better', () => {
    fc.assert(
      fc.property(policies, measurements, fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 8 }), (policy, measured, steps) => {
        let memory: VerdictMemory = noMemory
        let before = -1
        let at = policy.graceMs + policy.cpu.forMs
        for (const step of [0, ...steps]) {
          at += step
          const looked = evaluate(policy, { ...measured, at }, memory)
          assert.ok(severity(looked.verdict) >= before)
          before = severity(looked.verdict)
          memory = looked.memory
        }
      }),
    )
  })

  test('is not changed in what it does by a dry run, whatever that sees', () => {
    const dryRun = fc.constantFrom(...signalNames)
    fc.assert(
      fc.property(policies, measurements, measurements, memories, dryRun, (policy, measured, other, memory, name) => {
        const dry = { ...policy, [name]: { ...policy[name], dryRun: true } }
        const without = { ...policy, [name]: { ...policy[name], required: false } }
        const act = (given: Policy, found: Measurements) => {
          const { level, hardStop, is, required, mayAdvance } = evaluate(given, found, memory).verdict
          return { level, hardStop, is, required, mayAdvance }
        }
        assert.deepEqual(act(dry, measured), act(without, measured))
        assert.deepEqual(act(dry, measured), act(dry, seenBy(name, measured, other)))
      }),
      { numRuns: 1_000 },
    )
  })

  test('holds together: level, breach and advance say the same, and every signal is told in words', () => {
    fc.assert(
      fc.property(policies, measurements, memories, (policy, measured, memory) => {
        const { verdict } = evaluate(policy, measured, memory)
        assert.deepEqual(
          verdict.signals.map(({ signal }) => signal),
          signalNames,
        )
        assert.equal(verdict.level === null, verdict.is !== 'breach')
        assert.ok(!verdict.mayAdvance || verdict.level === null)
        assert.equal(verdict.hardStop === null || verdict.level === 'L1', true)
        assert.deepEqual(
          verdict.required,
          verdict.signals.filter(({ counts }) => counts).map(({ signal }) => signal),
        )
        for (const { why, is, breachForMs } of verdict.signals) {
          assert.match(why, /^[^\n]+$/)
          assert.doesNotMatch(why, /NaN|Infinity|undefined|null/)
          assert.equal(is === 'breach', breachForMs !== null)
        }
        assert.ok(verdict.next === null || (verdict.next.inMs > 0 && verdict.next.inMs <= policy.escalateMs))
      }),
      { numRuns: 2_000 },
    )
  })
})

/** `measured` with another sight of one signal, and of that one alone. */
function seenBy(name: SignalName, measured: Measurements, { candidate: other }: Measurements): Measurements {
  const { candidate } = measured
  if (name === 'cpu') return { ...measured, candidate: { ...candidate, cpu: other.cpu } }
  if (name === 'latency') {
    const { timed, p50, p99 } = other.traffic
    return { ...measured, candidate: { ...candidate, traffic: { ...candidate.traffic, timed, p50, p99 } } }
  }
  return measured // errors are the hard stop's as well, which is no signal
}
