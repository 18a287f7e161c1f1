import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { explainText } from '../../src/cli/explain-text.ts'
import { historyText } from '../../src/cli/history.ts'
import type { JournalEntry } from '../../src/rollout/journal.ts'
import { summaryOf } from '../../src/rollout/journal.ts'
import { type Receipt, receiptOf } from '../../src/rollout/receipt.ts'
import type { Place } from '../../src/rollout/upgrade.ts'
import { runBaton } from '../kit/baton.ts'
import { id, startToldBaton, upgradeAt } from './told-baton.ts'

const beganAt = Date.UTC(2026, 10, 24, 12)
const entry = (after: number, event: string, place: Place, requests: Readonly<Record<string, number>>): JournalEntry => {
  const at = beganAt + after
  return {
    at,
    seq: after,
    phase: place.phase,
    event,
    upgrade: upgradeAt(place, { beganAt, phaseSince: at, since: at }),
    requests,
    evidence: null,
  }
}
const entries: readonly JournalEntry[] = [
  entry(0, 'ordered', { phase: 'precheck' }, { v1: 100, v2: 0 }),
  entry(2_000, 'warmed', { phase: 'shift', step: 1, mode: { is: 'running' }, degrades: 0 }, { v1: 110, v2: 1 }),
  entry(65_000, 'stopped', { phase: 'rolled-back', why: { code: 'ordered', detail: 'by hand', by: 'operator' } }, { v1: 140, v2: 21 }),
]
const latency = { before: { p50: 1, p99: 5.25 }, during: null, after: { p50: 1, p99: 6 } }
const receipt = receiptOf(entries, { cut: 0, failed: null, latency, warm: null })

const baton = await startToldBaton()
baton.explained = { receipt, entries }
after(() => baton.close())
const run = (...args: string[]) => runBaton([...args, '--admin', baton.socket])

describe('baton history', () => {
  test('--json is the answer of the API', async () => {
    const { stdout, code } = await run('history', '--json')
    assert.deepEqual(JSON.parse(stdout), { upgrades: [{ id }] })
    assert.equal(code, 0)
  })
  test('lists upgrades with their end, how long they took, and why', () => {
    const summary = summaryOf(entries)
    assert.ok(summary)
    const [head, row] = historyText([summary]).split('\n')
    assert.match(head ?? '', /^UPGRADE +FROM +TO +PLAN +PHASE +BEGAN +TOOK +WHY$/)
    assert.match(row ?? '', /^upg-20261124-ab12 +v1 +v2 +default +rolled-back +2026-11-24T12:00:00.000Z +1m +by hand$/)
    assert.equal(historyText([]), 'no upgrade yet\n')
  })
})

describe('baton explain', () => {
  test('tells result, figures and every move', async () => {
    const { stdout, code } = await run('explain', id)
    assert.deepEqual(
      stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  ').trimEnd()),
      [
        `${id}  v1 → v2  rolled-back: by hand (ordered, by operator)`,
        'began  2026-11-24T12:00:00.000Z, took 1m, plan default (shift)',
        'exchanges  v1 40, v2 21; cut 0, failed not measured',
        'p99 (ms)  before 5.3, after 6',
        '',
        'AT  EVENT  PHASE',
        '+0s  ordered  precheck',
        '+2s  warmed  shift  2.5% (step 2 of 4)',
        '+1m  stopped  rolled-back  by hand',
        '',
      ],
    )
    assert.equal(code, 0)
  })
  test('--json is the answer of the API, --markdown the receipt', async () => {
    assert.deepEqual(JSON.parse((await run('explain', id, '--json')).stdout), JSON.parse(JSON.stringify({ receipt, entries })))
    assert.match((await run('explain', id, '--markdown')).stdout, /^# upg-20261124-ab12: v1 → v2, rolled-back\n/)
  })
  test('tells how warm the cache was', () => {
    const warm = { keys: 900, bytes: 1, coverage: 0.95, predicted: 0.666, tookMs: 2_400 }
    assert.ok(receipt)
    const cacheLine = (told: Receipt['warm']) => explainText({ ...receipt, warm: told }).split('\n')[4]
    assert.equal(cacheLine(warm), 'cache      900 keys in 2s, 95% of what was named, would answer 66% of reads')
    const none = { keys: 0, bytes: 0, coverage: null, predicted: null, tookMs: 100 }
    assert.equal(cacheLine(none), 'cache      0 keys in 0s, nothing was named that could be warmed')
  })
  test('of what is no upgrade is one line, exit 2', async () => {
    for (const wrong of ['upg-0', '../ledger']) {
      const { stderr, code } = await run('explain', wrong)
      assert.match(stderr, /^baton: there is no upgrade [^\n]*; "baton history" lists them\n$/)
      assert.equal(code, 2)
    }
  })
})
