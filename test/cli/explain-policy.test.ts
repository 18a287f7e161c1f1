/** `baton explain`: what verdicts were made from, and what another policy makes of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Evidence } from '../../src/rollout/evidence.ts'
import type { JournalEntry } from '../../src/rollout/journal.ts'
import { defaultPolicy } from '../../src/rollout/policy.ts'
import { receiptOf, unmeasured } from '../../src/rollout/receipt.ts'
import type { Place } from '../../src/rollout/upgrade.ts'
import { evaluate, noMemory } from '../../src/rollout/verdict.ts'
import { runBaton } from '../kit/baton.ts'
import { type Moment, moment, traffic } from '../rollout/verdict-fixture.ts'
import { id, startToldBaton, upgradeAt } from './told-baton.ts'

const beganAt = Date.UTC(2026, 10, 24, 12)
const entry = (after: number, place: Place, evidence: Evidence | null): JournalEntry => {
  const at = beganAt + after
  const event = evidence === null ? 'moved' : 'verdict'
  return { at, seq: 1, phase: place.phase, event, upgrade: upgradeAt(place, { beganAt }), requests: { v1: 9, v2: 1 }, evidence }
}
const judged = (given: Moment): Evidence => {
  const measurements = moment(given)
  return { policy: defaultPolicy, measurements, memory: noMemory, verdict: evaluate(defaultPolicy, measurements, noMemory).verdict }
}
const shift: Place = { phase: 'shift', step: 1, mode: { is: 'running' }, degrades: 0 }
const why = { code: 'verdict', detail: 'half of them failed', by: 'engine' } as const
const entries: readonly JournalEntry[] = [
  entry(0, { phase: 'precheck' }, null),
  entry(2_000, shift, judged({ candidate: { traffic: traffic({ errors: 20 }) } })),
  entry(12_000, shift, judged({ candidate: { traffic: traffic({ errors: 500 }), cpu: null } })),
  entry(13_000, { phase: 'rolled-back', why }, null),
]
const folder = mkdtempSync(join(tmpdir(), 'baton-policy-'))
const baton = await startToldBaton()
baton.explained = { receipt: receiptOf(entries, unmeasured), entries }
after(async () => {
  await baton.close()
  rmSync(folder, { recursive: true })
})
const run = (...args: string[]) => runBaton(['explain', id, ...args, '--admin', baton.socket])
const fields = (text: string) => text.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))
const replay = (text: string) => {
  const file = join(folder, 'policy.yaml')
  writeFileSync(file, text)
  return run('--policy', file)
}

describe('baton explain', () => {
  test('has a row for each verdict that was kept, with what it was made from', async () => {
    const { stdout } = await run()
    assert.deepEqual(fields(stdout).slice(-4), [
      'AT | VERDICT | errorRate | latency | cpu | REQUESTS | WHY',
      '+2s | breach, L3 (alert) | 2% of 0.3%, breach | 50ms of 250ms, pass | 50% of 90%, pass | 1000 / 1000 | errorRate: 2% of 1000 requests failed, above 0.3% (stable 0%)',
      '+12s | breach, L1 (rollback) | 50% of 0.3%, breach | 50ms of 250ms, pass | absent | 1000 / 1000 | 50% of 1000 requests failed, and 20% is a hard stop',
      '',
    ])
  })
  test('tells in its moves what each verdict said', async () => {
    assert.match((await run()).stdout, /^\+2s +verdict +shift +breach, L3: errorRate: 2% of 1000 requests failed/m)
  })
})

describe('baton explain --policy', () => {
  test('says what the same policy says: the same', async () => {
    const { stdout, code } = await replay('rollout: { analysis: {} }')
    assert.match(stdout, /\n0 of 2 verdicts differ\n$/)
    assert.equal(code, 0)
  })
  test('says of another one then and now', async () => {
    const { stdout } = await replay('rollout:\n  analysis:\n    errorRate: { factor: 600 }\n    hardStops: { errorRate: off }\n')
    assert.deepEqual(fields(stdout), [
      'AT | THEN | NOW | WHY',
      '+2s | breach, L3 (alert) | pass | differs | errorRate: 2% of 1000 requests failed, above 0.3% (stable 0%) | → | errorRate: 2% of 1000 requests failed, within 60% (stable 0%); latency: p99 50ms, within 250ms (stable 50ms); cpu: 50% of one core over 15s, within 90%',
      '+12s | breach, L1 (rollback) | pass | differs | 50% of 1000 requests failed, and 20% is a hard stop | → | errorRate: 50% of 1000 requests failed, within 60% (stable 0%); latency: p99 50ms, within 250ms (stable 50ms)',
      '',
      '2 of 2 verdicts differ',
      '',
    ])
  })
  test('takes a whole configuration, and the defaults of one that says nothing of it', async () => {
    const { stdout } = await replay('versions: { v1: { url: "http://127.0.0.1:1" } }\nstable: v1\n')
    assert.match(stdout, /\n0 of 2 verdicts differ\n$/)
  })
  test('says where a policy is wrong, exit 2', async () => {
    const { stderr, code } = await replay('rollout:\n  analysis:\n    errorRate: { factr: 3 }\n')
    assert.match(stderr, /policy\.yaml:3:18 rollout\.analysis\.errorRate\.factr: .*did you mean factor\?/)
    assert.equal(code, 2)
  })
  const wrong: readonly (readonly [text: string, line: string])[] = [
    ['rollout:\n  analysis: 5\n', '2:13 rollout.analysis: found 5 (a number), expected a mapping'],
    [
      'rollout:\n  analysis:\n    cpu: { share: 90 }\n',
      '3:19 rollout.analysis.cpu.share: found 90 (a number), expected a percentage from 0% to 100% (write 90%)',
    ],
    [
      'rollout: { analysis: { onNoData: waits } }',
      '1:34 rollout.analysis.onNoData: found "waits", expected wait, promote or rollback (did you mean wait?)',
    ],
  ]
  for (const [text, line] of wrong) {
    test(`says of each fault where it is and what would do: ${line}`, async () => {
      const { stderr, code } = await replay(text)
      assert.equal(stderr.replace(/^.*policy\.yaml:/, ''), `${line}\n`)
      assert.equal(code, 2)
    })
  }
  test('refuses a fragment without a policy, and an answer in another form besides', async () => {
    assert.match((await replay('analysis: {}')).stderr, /policy\.yaml has no rollout\.analysis\n$/)
    assert.match((await run('--policy', 'x', '--json')).stderr, /exclude each other/)
  })
  test('passes over what another build has kept in another form', async () => {
    const kept = baton.explained
    baton.explained = { receipt: receiptOf(entries, unmeasured), entries: [{ at: 1, evidence: { verdict: 'bad' } }] }
    assert.match((await replay('rollout: { analysis: {} }')).stdout, /^no verdict of .* was kept\n$/)
    baton.explained = kept
  })
})
