import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseLoad } from '../../bench/load.ts'
import { readOptions } from '../../bench/options.ts'
import { parseCoreMicros, parseCpuMicros, parseStatusBytes } from '../../bench/process.ts'
import { recordingNanos } from '../../bench/recording.ts'
import { type Result, renderReport, table } from '../../bench/report.ts'
import { aimsOf, cpuRatio, median, type Row, summarize } from '../../bench/summary.ts'
import type { Turn } from '../../bench/turn.ts'
import { needs } from '../kit/packages.ts'

const turnOf = (peer: string, cpuMicrosPerRequest: number, more: Partial<Turn> = {}): Turn => ({
  peer,
  workload: 'small',
  requests: 1_000,
  requestsPerSecond: 100,
  cpuMicrosPerRequest,
  busy: 1,
  others: 0,
  p50Ms: 1,
  p99Ms: 2,
  peakBytes: 50e6,
  errors: 0,
  ...more,
})

describe('what the bench reads', () => {
  test('the summary line that our script has wrk print', () => {
    const output = `Running 1s test @ http://127.0.0.1:44021/small
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.67ms  112.63us   3.45ms   93.19%
    Req/Sec    94.55k     4.03k   98.48k    90.91%
  103393 requests in 1.10s, 31.85MB read
Requests/sec:  93987.90
Transfer/sec:     28.95MB
bench 103393 1100067 653 1278 7
`
    assert.deepEqual(parseLoad(output), { requests: 103_393, seconds: 1.100067, p50Ms: 0.653, p99Ms: 1.278, errors: 7 })
  })

  test('a wrk that could not connect is told in its own words', () => {
    assert.throws(() => parseLoad('unable to connect to 127.0.0.1:1 Connection refused\n'), /unable to connect to 127\.0\.0\.1:1/)
  })

  test('user and system time from /proc/PID/stat, even of a process whose name looks like fields', () => {
    const stat =
      '4242 (a) S 1 (b) R 4100 4242 4100 34816 4242 4194304 20517 0 12 0 1234 66 9 8 20 0 11 0 987654 1234567168 21034 18446744073709551615 1 1 0'
    assert.equal(parseCpuMicros(stat), (1234 + 66) * 10_000)
    assert.throws(() => parseCpuMicros('nonsense'), /not a \/proc\/PID\/stat/)
  })

  test('what ran on one core from /proc/stat, without its idle time and its wait for disks', () => {
    const stat = 'cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 10 50 9000 900 4 30 6 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nintr 5\n'
    assert.equal(parseCoreMicros(stat, 0), 200 * 10_000)
    assert.throws(() => parseCoreMicros(stat, 2), /no cpu2/)
  })

  test('peak and present memory from /proc/PID/status', () => {
    const status = 'Name:\tnode\nVmPeak:\t 1262124 kB\nVmHWM:\t   53212 kB\nVmRSS:\t   51200 kB\nThreads:\t11\n'
    assert.equal(parseStatusBytes(status, 'VmHWM'), 53_212 * 1024)
    assert.equal(parseStatusBytes(status, 'VmRSS'), 51_200 * 1024)
    assert.throws(() => parseStatusBytes('Name:\tkthread\n', 'VmRSS'), /no VmRSS/)
  })

  test('a flag or value that it does not know is refused with what was expected', () => {
    const read = (...argv: string[]) => readOptions(argv, ['baton', 'nginx'])
    assert.deepEqual(read('--only', 'baton,nginx', '--workload', 'small').only, ['baton', 'nginx'])
    assert.throws(() => read('--only', 'ngnix'), /--only: found "ngnix", expected of baton, nginx/)
    assert.throws(() => read('--workload', 'huge'), /--workload: found "huge", expected of small, 64k, 1m, post/)
    assert.throws(() => read('--rounds', '0'), /--rounds: found "0"/)
    assert.throws(() => read('--fast'), /--fast/)
  })
})

describe('what the bench makes of its turns', () => {
  test('a median of an odd and of an even number of rounds', () => {
    assert.equal(median([9, 1, 5]), 5)
    assert.equal(median([4, 1, 9, 2]), 3)
  })

  test('a row holds medians, the highest peak and all errors', () => {
    const rows = summarize([
      turnOf('baton', 20, { peakBytes: 80e6, errors: 1, p99Ms: 2 }),
      turnOf('nginx', 10),
      turnOf('baton', 90, { peakBytes: 90e6, p99Ms: 9 }),
      turnOf('baton', 22, { peakBytes: 70e6, errors: 2, p99Ms: 3 }),
    ])
    assert.deepEqual(
      rows.map(({ peer, rounds, cpuMicrosPerRequest, p99Ms, peakBytes, errors }) => [
        peer,
        rounds,
        cpuMicrosPerRequest,
        p99Ms,
        peakBytes,
        errors,
      ]),
      [
        ['baton', 3, 22, 3, 90e6, 3],
        ['nginx', 1, 10, 2, 50e6, 0],
      ],
    )
  })

  const rows: Row[] = summarize([
    turnOf('baton', 18, { peakBytes: 111e6 }),
    turnOf('reply-from', 30),
    turnOf('http-proxy', 40),
    turnOf('baton', 50, { workload: 'post' }),
  ])

  test('a ratio is of CPU per request under the same workload, and null where one was not measured', () => {
    assert.equal(cpuRatio(rows, 'small', 'baton', 'reply-from'), 0.6)
    assert.equal(cpuRatio(rows, 'post', 'baton', 'reply-from'), null)
    assert.equal(cpuRatio(rows, 'small', 'baton', 'nginx'), null)
  })

  test('an aim is met at its limit, not met past it, and neither when it was not measured', () => {
    const found = aimsOf(rows, ['small', 'post'], 540).map(({ limit, found, met }) => [limit, found, met])
    assert.deepEqual(found, [
      [0.6, 0.6, true],
      [0.6, null, null],
      [0.4, 0.45, false],
      [0.4, null, null],
      [110, 111, false],
      [2, 3, false],
    ])
    assert.ok(aimsOf([], ['small'], 540).every(({ met }) => met === null))
  })

  test('an aim is not judged where other work had the core, or where the proxy had too little to do', () => {
    const judged = (more: Partial<Turn>): unknown =>
      aimsOf(summarize([turnOf('baton', 18), turnOf('reply-from', 30, more), turnOf('http-proxy', 45)]), ['small'], 360).map(
        ({ met }) => met,
      )
    assert.deepEqual(judged({ others: 0.1, busy: 0.7 }), [true, true, true, true])
    assert.deepEqual(judged({ others: 0.11 }), [null, true, true, true])
    assert.deepEqual(judged({ busy: 0.69 }), [null, true, true, true])
    const disturbed = summarize([turnOf('baton', 18), turnOf('reply-from', 30, { others: 0.5 })])
    assert.match(renderReport(resultOf(disturbed)), /^\| small: CPU per request ÷ reply-from's .+ 0\.60 \| disturbed: run again \|$/m)
  })

  test('recording an exchange has a share of the CPU of a small request of baton, and none of a disturbed one', () => {
    const shareOf = (all: readonly Row[]): unknown =>
      aimsOf(all, ['small'], 360)
        .filter(({ what }) => what.startsWith('recording'))
        .map(({ found, unit, met }) => [found, unit, met])
    assert.deepEqual(shareOf(rows), [[2, ' %', true]])
    assert.deepEqual(shareOf(summarize([turnOf('baton', 18, { others: 0.5 })])), [[2, ' %', null]])
    assert.deepEqual(shareOf(summarize([turnOf('floor', 18)])), [[null, ' %', null]])
  })

  test('what recording an exchange takes is found by doing it', () => {
    const nanos = recordingNanos(1_000)
    assert.ok(Number.isFinite(nanos) && nanos > 0, String(nanos))
  })

  test('the report says of each aim whether it is met, and of each proxy its ratios', () => {
    const text = renderReport(resultOf(rows))
    assert.match(text, /^\| small: CPU per request ÷ reply-from's +\| ≤ 0\.6 \| +0\.60 \| +met \|$/m)
    assert.match(text, /^\| small: CPU per request ÷ http-proxy's +\| ≤ 0\.4 \| +0\.45 \| +NOT met \|$/m)
    assert.match(text, /^\| peak RSS .+ \| +≤ 110 \| +111 \| +NOT met \|$/m)
    assert.match(text, /^\| recording: share of CPU per small request +\| +≤ 2 % \| +0\.20 % \| +met \|$/m)
    assert.match(text, /^\| baton +\| +100 \| +18\.0 \| +– \| +0\.45 \| +0\.60 \|/m)
    assert.match(text, /nginx is skipped: it is not installed/)
  })

  test('a table has columns of one width', () => {
    assert.equal(table(['', 'a'], [['long name', '1']]), '|           |   a |\n| --------- | --: |\n| long name |   1 |')
  })
})

function resultOf(rows: readonly Row[]): Result {
  return {
    date: '2026-11-24 07:00',
    machine: 'a machine',
    versions: 'Node 26',
    rounds: 1,
    seconds: 1,
    connections: 64,
    workloads: [{ name: 'small', title: 'GET 100 B', method: 'GET', path: '/small', bytes: 100 }],
    peers: ['baton', 'reply-from', 'http-proxy'].map((name) => ({ name, settings: 'none' })),
    notes: ['nginx is skipped: it is not installed'],
    rows,
    aims: aimsOf(rows, ['small'], 36),
  }
}

describe('the command', () => {
  test('one tiny run gives valid JSON with the numbers of the floor', {
    skip: needs('wrk', 'nginx', 'taskset'),
  }, async () => {
    const { code, out, err } = await bench('--json', '--seconds', '1', '--rounds', '1', '--workload', 'small', '--only', 'floor')
    assert.equal(code, 0, err)
    const result: Result = JSON.parse(out)
    const [row, ...more] = result.rows
    assert.deepEqual([row?.peer, row?.workload, row?.rounds, row?.errors, more.length], ['floor', 'small', 1, 0, 0])
    for (const found of [row?.requests, row?.requestsPerSecond, row?.cpuMicrosPerRequest, row?.p50Ms, row?.p99Ms, row?.peakBytes])
      assert.ok(Number(found) > 0)
    assert.ok(result.aims.every(({ met }) => met === null))
  })

  test('a wrong flag is one line and exit 1', async () => {
    const { code, out, err } = await bench('--only', 'apache')
    assert.deepEqual([code, out, err.trim().split('\n').length], [1, '', 1])
  })
})

async function bench(...argv: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../bench/run.ts'), ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, err }
}
