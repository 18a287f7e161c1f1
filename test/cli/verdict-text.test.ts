import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { statusText } from '../../src/cli/status-text.ts'
import { nextText, verdictLine, verdictText } from '../../src/cli/verdict-text.ts'
import type { In, Place, Upgrade } from '../../src/rollout/upgrade.ts'
import type { Verdict } from '../../src/rollout/verdict.ts'
import { breaching, cpuUse, type Moment, policyWith, verdictOf } from '../rollout/verdict-fixture.ts'
import { upgradeAt } from './told-baton.ts'

type Shift = Extract<Place, { readonly phase: 'shift' }>
const began = 1_000
const shift = (given: Partial<Shift> = {}): In<'shift'> =>
  upgradeAt({ phase: 'shift', step: 0, mode: { is: 'running' }, degrades: 0, ...given }, { since: began }) as In<'shift'>
const fields = (text: string) => text.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))
const escalateMs = 60_000
const one: Moment = { candidate: breaching(['errorRate']) }

describe('the table of signals', () => {
  test('has each signal with its figure, its limit, and whether it counts', () => {
    const verdict = verdictOf(
      { candidate: { ...breaching(['errorRate', 'latency']), cpu: null } },
      policyWith({ latency: { dryRun: true } }),
    )
    assert.deepEqual(fields(verdictText(verdict, shift(), verdict.at + 12_000)).slice(0, 4), [
      'SIGNAL | v2 | LIMIT | VERDICT | IN BREACH FOR | COUNTS | WHY',
      'errorRate | 2% | 0.3% | breach | 12s | required | 2% of 1000 requests failed, above 0.3% (stable 0%)',
      'latency | 300ms | 250ms | breach | 12s | dry run | p99 300ms, above 250ms (stable 50ms)',
      'cpu | - | 90% | absent | - | absent | the CPU of this version cannot be known',
    ])
  })
  test('has the CPU per request of both, where it is known of one of them', () => {
    const row = (given: Moment) => fields(verdictText(verdictOf(given), shift(), 0)).find((line) => line.startsWith('cpu/request'))
    const per = (perRequestMs: number | null) => ({ cpu: { ...cpuUse(0.5), perRequestMs } })
    const both = { candidate: per(2.3456), stable: per(1.9) }
    assert.equal(row(both), 'cpu/request | 2.35ms | - | - | - | no | reported only; v1 1.9ms')
    assert.equal(row({ ...both, stable: { cpu: null } }), 'cpu/request | 2.35ms | - | - | - | no | reported only; v1 -')
    assert.equal(row({ ...both, candidate: per(null) }), 'cpu/request | - | - | - | - | no | reported only; v1 1.9ms')
    assert.equal(row({ candidate: per(null), stable: { cpu: null } }), undefined)
  })
  test('has no CPU per request of a baton that does not tell it', () => {
    const { cpuPerRequestMs: _, ...older } = verdictOf({})
    assert.doesNotMatch(verdictText(older as Verdict, shift(), 0), /cpu\/request/)
  })
  test('then the verdict in words, and what happens next', () => {
    const verdict = verdictOf(one)
    assert.deepEqual(fields(verdictText(verdict, shift(), verdict.at)).slice(5), [
      'verdict breach, L3 (alert): errorRate: 2% of 1000 requests failed, above 0.3% (stable 0%)',
      'next | L2 (degrade) in 1m if the breach lasts; the plan waits',
      '',
    ])
  })
})

describe('what happens next', () => {
  const said = (given: Moment, at: Partial<Shift> = {}, laterMs = 0, policy = policyWith({})) => {
    const verdict = verdictOf(given, policy)
    return nextText(verdict, shift(at), verdict.at + laterMs)
  }
  const degraded: Shift['mode'] = { is: 'degraded', forMs: 90_000, wasPaused: false }
  const cases: readonly (readonly [string, string, string])[] = [
    ['all is well: the next step', said({}), 'step 2 of 4: 2.5 %; 31s left of this step'],
    ['in the last step: commit', said({}, { step: 3 }), 'commit; 31s left of this step'],
    [
      'a breach: one level higher, counted on from the verdict',
      said(one, {}, 20_000),
      'L2 (degrade) in 40s if the breach lasts; the plan waits',
    ],
    ['all in breach', said({ candidate: breaching(['errorRate', 'latency', 'cpu']) }), 'rollback, now'],
    ['degraded', said({ expectsTraffic: false }, { mode: degraded }), 'the step again in 31s'],
    ['paused', said({}, { mode: { is: 'paused', by: 'operator' } }), 'paused, until "baton resume" or "baton promote"'],
    ['a manual step', said({}, { step: 2 }), 'step 4 of 4: bake; until "baton promote" of this step'],
  ]
  for (const [name, text, expected] of cases) test(name, () => assert.equal(text, expected))

  const nothing: Moment = { candidate: { traffic: { requests: 0, errors: 0, p50: null, p99: null, timed: 0, inFlight: 0 } } }
  test('nothing measured: as the policy says', () => {
    assert.equal(said(nothing), 'the plan waits for something to be measured')
    assert.equal(said(nothing, {}, 0, policyWith({ onNoData: 'promote' })), 'step 2 of 4: 2.5 %; 31s left of this step')
    assert.equal(said(nothing, {}, 0, policyWith({ onNoData: 'rollback' })), 'rollback if nothing is measured; 31s left')
  })
  test('the time is that of the policy', () => {
    assert.match(said(one, {}, 0, policyWith({ escalateMs: escalateMs * 5 })), /in 5m /)
  })
})

test('the line of a verdict has its level in words', () => {
  assert.equal(verdictLine(verdictOf({})).split(':')[0], 'pass')
  assert.match(verdictLine(verdictOf({ candidate: breaching(['errorRate', 'cpu']) })), /^breach, L2 \(degrade\): errorRate: .*; cpu: /)
})

describe('the status', () => {
  const status = (upgrade: Upgrade | null, analysis: unknown) =>
    statusText(
      {
        baton: { version: '0', pid: 1, keeperPid: 1, keeperLost: false, startedAt: '', whyNotReady: null, leaving: false },
        config: { source: 'f', revision: 1, appliedAt: '', stale: null, lastFault: null, needsGeneration: [] },
        roles: { stable: 'v1', candidate: 'v2' },
        versions: [],
        idle: [],
        upgrade,
        analysis,
      },
      61_000,
    )
  test('has the table while traffic shifts, and only then', () => {
    assert.match(status(shift(), verdictOf(one)), /\nSIGNAL .*\n.*\n.*\n.*\ncpu\/request .*\nverdict breach/)
    for (const other of [upgradeAt({ phase: 'warm' }), upgradeAt({ phase: 'done' }), null]) {
      assert.doesNotMatch(status(other, verdictOf(one)), /SIGNAL/)
    }
  })
  test('has none before the first verdict', () => assert.doesNotMatch(status(shift(), null), /SIGNAL/))
  test('says of a degraded step when it comes again', () => {
    const mode: Shift['mode'] = { is: 'degraded', forMs: 90_000, wasPaused: false }
    assert.match(status(shift({ mode }), null), /shift, step 1 of 4: header-only, degraded, the step again in 30s\n/)
  })
})
