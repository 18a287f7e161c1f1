import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { VersionStats } from '../../src/cache/stats.ts'
import type { WarmState } from '../../src/cache/warming.ts'
import { bytesText, cacheText, isStats, warmText } from '../../src/cli/cache-text.ts'

const counts = { fills: 10, fillsDropped: 0, kills: 4, refreshes: 2, refreshesDropped: 0, flushes: 1, losses: 3 }
const source = {
  live: true,
  whyNot: null,
  redis: { address: '127.0.0.1:6379', version: '7.0.15', user: 'shop' },
  staleMs: 12,
  counts,
}
const v1: VersionStats = {
  version: 'v1',
  clients: 5,
  hits: 75,
  misses: 25,
  passed: 40,
  keys: 20,
  absentKeys: 0,
  bytes: 3_000_000,
  evictions: 7,
  warm: null,
  push: null,
}
const progress: WarmState['progress'] = {
  phase: 'ended',
  source: null,
  named: 2_000,
  kept: 1_800,
  absent: 100,
  refused: 50,
  dropped: 50,
  keys: 1_800,
  bytes: 1,
  coverage: 0.95,
  predicted: null,
  isNamed: true,
  isFull: false,
  faults: [],
  elapsedMs: 1_249,
}
const warm = (parts: Partial<WarmState>, changes: Partial<WarmState['progress']> = {}): WarmState => ({
  ended: 'all-named',
  share: 0.95,
  verdict: 'go',
  ...parts,
  progress: { ...progress, ...changes },
})

describe('the figures of the cache', () => {
  test('are a line of Redis and a row a version', () => {
    const lines = cacheText({ source, versions: [v1] }).split('\n')
    assert.equal(lines[0], 'redis 127.0.0.1:6379 (7.0.15), as shop, current 12ms ago: 10 read, 4 dropped, 2 read again, lost 3 times')
    assert.match(lines[2] ?? '', /^VERSION +KEYS +BYTES +HITS +MISSES +HIT RATIO +PASSED +EVICTED +CLIENTS$/)
    assert.match(lines[3] ?? '', /^v1 +20 +2\.9MiB +75 +25 +75\.0% +40 +7 +5$/)
  })
  test('of a version that nobody asked has no ratio, and one without a gateway no clients', () => {
    const idle = { ...v1, clients: null, hits: 0, misses: 0, absentKeys: 3 }
    assert.match(cacheText({ source, versions: [idle] }), /^v1 +20\+3 absent +2\.9MiB +0 +0 +- +40 +7 +-$/m)
  })
  test('say why everything is passed through', () => {
    const lost = { ...source, live: false, whyNot: 'reads: the connection was closed', redis: null, staleMs: null }
    assert.match(cacheText({ source: lost, versions: [] }), /^passed through uncached: reads: the connection was closed\n/)
    assert.match(cacheText({ source: null, versions: [] }), /^no cache is configured: everything is passed through\n/)
  })
  test('have a line of the last warm-up of each version', () => {
    assert.match(cacheText({ source, versions: [{ ...v1, warm: warm({}) }] }), /\n\nv1 was warmed \(all-named\): .*\n$/)
  })
  test('have a line of what is pushed to each version', () => {
    const push: VersionStats['push'] = {
      state: 'syncing',
      epoch: 1,
      seq: 2,
      dirty: 3,
      acked: 400,
      resyncs: 1,
      lagMs: 12.4,
      failures: 2,
      tooLong: 0,
    }
    const lines = (changes: object) =>
      cacheText({ source, versions: [{ ...v1, push: { ...push, ...changes } }] })
        .split('\n')
        .at(-2)
    assert.equal(lines({}), 'v1 is pushed to, syncing: 400 operations taken, 3 keys to tell, 12ms behind; 1 resyncs, 2 failures')
    assert.match(lines({ state: 'in-sync', dirty: 0, lagMs: 0 }) ?? '', /^v1 is pushed to, in-sync: 400 operations taken, 0 keys to tell; /)
  })
  test('are known from what is none', () => {
    assert.equal(isStats({ source: null, versions: [] }), true)
    for (const other of [null, 'x', { versions: [] }, { error: {} }]) assert.equal(isStats(other), false)
  })
})

describe('a warm-up in one line', () => {
  const rows: readonly (readonly [state: WarmState, line: string])[] = [
    [
      warm({ ended: null, share: 0.5 }, { phase: 'reading', source: 'hot-names' }),
      'is warming, reading hot-names: 1950 of 2000 names, 1800 keys held, 1.2s, 50%',
    ],
    [warm({ ended: null, share: 0 }, { phase: 'waiting' }), 'is warming, waiting: 1950 of 2000 names, 1800 keys held, 1.2s, 0%'],
    [warm({}, { predicted: 0.666 }), 'was warmed (all-named): 1950 of 2000 names, 1800 keys held, 1.2s, 95%, would answer 66% of reads'],
    [
      warm({ ended: 'deadline', share: 0.4, verdict: 'refuse' }, { faults: ['file: no such file'] }),
      'is colder than it should be (deadline): 1950 of 2000 names, 1800 keys held, 1.2s, 40%; file: no such file',
    ],
    [
      warm({ share: null, verdict: 'go-with-warning' }, { faults: ['file: no such file'] }),
      'was not warmed (all-named): nothing was named that could be; file: no such file',
    ],
  ]
  for (const [state, line] of rows) test(line, () => assert.equal(warmText(state), line))
})

test('sizes are told in their largest unit', () => {
  assert.deepEqual([0, 1_023, 1_024, 1_536, 1_048_576].map(bytesText), ['0B', '1023B', '1.0KiB', '1.5KiB', '1.0MiB'])
})
