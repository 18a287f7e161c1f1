import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JournalEntry } from '../../src/rollout/journal.ts'
import { defaultPolicy } from '../../src/rollout/policy.ts'
import { type Measured, receiptOf } from '../../src/rollout/receipt.ts'
import { receiptMarkdown } from '../../src/rollout/receipt-markdown.ts'
import { begin, step } from '../../src/rollout/step.ts'
import type { Event } from '../../src/rollout/upgrade.ts'
import { evaluate, noMemory } from '../../src/rollout/verdict.ts'
import { begun, eventText } from './upgrade-fixture.ts'
import { moment, traffic } from './verdict-fixture.ts'

type Counts = readonly [v1: number, v2: number]

const began = Date.UTC(2026, 10, 24, 12)
const measured: Measured = {
  cut: 0,
  failed: 2,
  latency: { before: { p50: 1.234, p99: 9 }, during: { p50: 1.5, p99: null }, after: null },
  warm: null,
}

/** The entries of an upgrade that these events move: ms since it began, the event, exchanges that each version has ended. */
function entriesOf(events: readonly (readonly [at: number, Event, Counts])[]): readonly JournalEntry[] {
  let { next } = begin(begun, began)
  const entry = (at: number, event: string, [v1, v2]: Counts): JournalEntry => {
    return { at: began + at, seq: next.seq, phase: next.phase, event, upgrade: next, requests: { v1, v2 }, evidence: null }
  }
  const first = entry(0, 'ordered', [100, 0])
  const others = events.map(([at, event, counts]) => {
    next = step(next, event, began + at).next
    return entry(at, eventText(event), counts)
  })
  return [first, ...others]
}

const good = entriesOf([
  [10, { is: 'prechecked' }, [100, 0]],
  [20, { is: 'started' }, [101, 0]],
  [1_020, { is: 'ready' }, [150, 0]],
  [1_030, { is: 'warmed' }, [150, 0]],
  [31_030, { is: 'step-met' }, [300, 3]],
  [61_030, { is: 'order', order: 'promote', by: 'operator' }, [400, 40]],
  [91_030, { is: 'step-met' }, [400, 140]],
  [92_030, { is: 'drained' }, [402, 150]],
  [92_130, { is: 'stopped' }, [402, 151]],
])

describe('a receipt', () => {
  test('has each phase as long as it was, however long the journal took to have it', () => {
    const late = good.map((entry) => (entry.phase === 'shift' ? { ...entry, at: entry.at + 250 } : entry))
    const phasesOf = (entries: typeof good) => receiptOf(entries, measured)?.phases
    assert.deepEqual(phasesOf(late), phasesOf(good))
  })

  test('of no entries is none', () => assert.equal(receiptOf([], measured), null))

  test('says what the upgrade was and how it ended', () => {
    const {
      id,
      from,
      to,
      plan: followed,
      result,
      why,
      beganAt,
      endedAt,
      durationMs,
      cut,
      failed,
      latency,
      warm,
    } = receiptOf(good, measured) ?? {}
    assert.deepEqual(
      { id, from, to, plan: followed, result, why, beganAt, endedAt, durationMs, cut, failed, latency, warm },
      {
        id: 'upg-20261124-abcd',
        from: 'v1',
        to: 'v2',
        plan: { name: 'careful', strategy: 'shift' },
        result: 'done',
        why: null,
        beganAt: began,
        endedAt: began + 92_130,
        durationMs: 92_130,
        ...measured,
      },
    )
  })

  test('has each phase once, with its time', () => {
    const phases = receiptOf(good, measured)?.phases.map(({ phase, beganAt, durationMs }) => [phase, beganAt - began, durationMs])
    assert.deepEqual(phases, [
      ['precheck', 0, 10],
      ['start-new', 10, 10],
      ['health-check', 20, 1_000],
      ['warm', 1_020, 10],
      ['shift', 1_030, 90_000],
      ['stop-old', 91_030, 1_100],
    ])
  })

  test('has every move with what made it', () => {
    assert.deepEqual(
      receiptOf(good, measured)?.moves.map(({ seq, event, phase, place }) => [seq, event, phase, place].join(' | ')),
      [
        '1 | ordered | precheck | ',
        '2 | prechecked | start-new | ',
        '3 | started | health-check | ',
        '4 | ready | warm | ',
        '5 | warmed | shift | header-only (step 1 of 3)',
        '6 | step-met | shift | 25% (step 2 of 3)',
        '7 | promote | shift | bake (step 3 of 3)',
        '8 | step-met | stop-old | drain',
        '9 | drained | stop-old | stop',
        '10 | stopped | done | ',
      ],
    )
  })

  test('counts the exchanges of each version during the upgrade', () => {
    assert.deepEqual(receiptOf(good, measured)?.exchanges, { v1: 302, v2: 151 })
  })

  test('counts on where baton came back and began from nothing', () => {
    const entries = entriesOf([
      [10, { is: 'prechecked' }, [130, 0]],
      [20, { is: 'recovered' }, [0, 0]],
      [30, { is: 'started' }, [7, 2]],
    ])
    const receipt = receiptOf(entries, measured)
    assert.deepEqual(receipt?.exchanges, { v1: 37, v2: 2 })
    assert.deepEqual([receipt?.result, receipt?.endedAt], ['running', null])
  })

  test('of one that went back says why', () => {
    const entries = entriesOf([
      [10, { is: 'prechecked' }, [0, 0]],
      [20, { is: 'start-failed', detail: 'exit 1' }, [0, 0]],
      [30, { is: 'drained' }, [0, 0]],
      [40, { is: 'stopped' }, [0, 0]],
    ])
    const receipt = receiptOf(entries, measured)
    assert.deepEqual([receipt?.result, receipt?.why?.code], ['rolled-back', 'start-failed'])
    assert.deepEqual(receipt?.phases.at(-1), { phase: 'rollback', beganAt: began + 20, durationMs: 20 })
    assert.equal(receipt?.moves.at(-2)?.place, 'stop: exit 1')
  })
})

describe('a receipt of one that a verdict took back', () => {
  const measurements = moment({ candidate: { traffic: traffic({ errors: 250, p99: 300 }), cpu: null } })
  const { verdict } = evaluate(defaultPolicy, measurements, noMemory)
  const evidence = { policy: defaultPolicy, measurements, memory: noMemory, verdict }
  const taken = (asks: Event): readonly JournalEntry[] => {
    const entries = entriesOf([
      [10, { is: 'prechecked' }, [0, 0]],
      [20, { is: 'started' }, [0, 0]],
      [30, { is: 'ready' }, [0, 0]],
      [40, { is: 'warmed' }, [0, 0]],
      [50, { is: 'restored' }, [0, 0]],
      [60, asks, [0, 0]],
    ])
    return entries.map((entry) => (entry.event === 'restored' ? { ...entry, event: 'verdict', evidence } : entry))
  }
  const asked: Event = { is: 'verdict', asks: 'rollback', detail: verdict.why }

  test('has that verdict, with its numbers', () => {
    const receipt = receiptOf(taken(asked), measured)
    assert.deepEqual(receipt?.verdict, verdict)
    assert.equal(receipt?.moves.at(-2)?.place, `breach, L1: ${verdict.why}`)
  })

  test('shows it on its page', () => {
    const receipt = receiptOf(taken(asked), measured)
    assert.ok(receipt)
    const page = receiptMarkdown(receipt)
    assert.match(page, /\nTaken back by the verdict of 1970-01-01T00:01:00.000Z, L1, hard stop error-rate: 25% of 1000 requests failed, /)
    assert.match(page, /\n\| errorRate \| 25% \| 0.3% \| breach \| yes \| 25% of 1000 /)
    assert.match(page, /\n\| latency \| 300 ms \| 250 ms \| breach \| yes \| p99 300ms/)
    assert.match(page, /\n\| cpu \| not measured \| 90% \| absent \| no \| /)
  })

  test('of one that an operator took back has none, whatever was seen', () => {
    const receipt = receiptOf(taken({ is: 'order', order: 'rollback', by: 'operator' }), measured)
    assert.equal(receipt?.verdict, null)
    assert.ok(receipt && !receiptMarkdown(receipt).includes('Taken back'))
  })
})

test('a receipt for people tells how warm the cache was, and nothing where there is none', () => {
  const cacheLine = (warm: Measured['warm']) => {
    const receipt = receiptOf(good, { ...measured, warm })
    assert.ok(receipt)
    return receiptMarkdown(receipt)
      .split('\n')
      .find((line) => line.startsWith('The cache'))
  }
  assert.equal(
    cacheLine({ keys: 900, bytes: 123_456, coverage: 0.95, predicted: 0.66, tookMs: 2_400 }),
    'The cache of v2 was warmed in 2.4 s: 900 keys, 123456 bytes, 95% of what was to be warmed, 66% of the reads that are predicted.',
  )
  assert.equal(
    cacheLine({ keys: 0, bytes: 0, coverage: null, predicted: null, tookMs: 100 }),
    'The cache of v2 was warmed in 100 ms: 0 keys, 0 bytes.',
  )
  assert.equal(cacheLine(null), undefined)
})

describe('a receipt for people', () => {
  const text = (entries: readonly JournalEntry[], figures = measured) => {
    const receipt = receiptOf(entries, figures)
    assert.ok(receipt)
    return receiptMarkdown(receipt)
  }

  test('has everything on one page', () => {
    const lines = text(good).split('\n')
    for (const line of [
      '# upg-20261124-abcd: v1 → v2, done',
      '**done**. Plan `careful`, strategy `shift`. Began 2026-11-24T12:00:00.000Z, ended 2026-11-24T12:01:32.130Z, 1 min 32 s in all.',
      '| exchanges of v2 | 151 |',
      '| failed | 2 |',
      '| before | 1.23 | 9 |',
      '| during | 1.5 | not measured |',
      '| shift | +1.0 s | 1 min 30 s |',
      '| +31.0 s | 6 | step-met | shift | 25% (step 2 of 3) |',
    ]) {
      assert.ok(lines.includes(line), line)
    }
  })

  test('says of what was not measured that it was not', () => {
    const nothing: Measured = { cut: null, failed: null, latency: { before: null, during: null, after: null }, warm: null }
    const page = text(good, nothing)
    assert.match(page, /\| cut \| not measured \|/)
    assert.doesNotMatch(page, /latency/)
  })

  test('is not broken by what an app wrote', () => {
    const page = text(entriesOf([[10, { is: 'precheck-failed', detail: 'a | b\n# c' }, [0, 0]]]))
    assert.match(page, /\| \+10 ms \| 2 \| precheck-failed \| rolled-back \| a \\\| b # c \|/)
    assert.equal(page.match(/^# /gm)?.length, 1)
  })
})
