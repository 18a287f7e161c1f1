/** Each part of the bench as a section of the page. Pure. */
import { table } from '../report.ts'
import { median } from '../summary.ts'
import { delayMs, itemsPerRequest, type Watched } from './after-upgrade.ts'
import { figuresBefore, figuresIn, type WindowFigures } from './after-upgrade-figures.ts'
import type { Cpu } from './cost.ts'
import { delaysMs, type HitRow, type Hits, type PipelineRow } from './hits.ts'
import { clients, exponent, type SavingsRow } from './savings.ts'
import type { Scale } from './scale.ts'
import type { WarmRow } from './warm-ups.ts'
import type { WriteRow } from './writes.ts'

export function hitsText({ alone, pipelined }: Hits, { hotKeys, rounds }: Scale): string {
  const direct = (delayMs: number): number => alone.find((row) => row.name === 'Redis' && row.delayMs === delayMs)?.p50Micros ?? Number.NaN
  const added = delaysMs.slice(1).map((delayMs) => `${delayMs} ms: ${((direct(delayMs) - direct(0)) / 1_000).toFixed(2)}`)
  const cells = ({ name, delayMs, p50Micros, p99Micros, perSecond, cpuMicros }: HitRow): string[] => [
    `${delayMs} ms, ${name}`,
    p50Micros.toFixed(0),
    p99Micros.toFixed(0),
    (p50Micros / direct(delayMs)).toFixed(2),
    perSecond.toFixed(0),
    ...cpuCells(cpuMicros, ['redis', 'baton', 'proxy'], 1),
  ]
  return [
    '## A local hit and a round trip to Redis\n',
    `GETs of 1 KB, ${hotKeys} keys that are all held, medians of ${rounds} rounds. One ioredis client that asks one at a time; with a delay, whoever speaks to Redis (the client, or baton) does so through a proxy of the bench’s own that holds everything back for half of it each way. netem is not in every kernel, and timers are too coarse: it turns while something waits, which is the CPU that it takes. What it really adds to the p50, itself included: ${added.join('; ')}. “Passed” is a key outside the cached prefixes: the way of every miss. CPU is of the time in which the reads ran, what a process does besides included: where few reads fit in, that is much of it.\n`,
    table(['', 'p50 µs', 'p99 µs', '÷ Redis', 'reads/s', 'CPU µs: Redis', 'baton', 'proxy'], alone.map(cells)),
    '\nredis-benchmark, 50 connections, no delay; P is how many requests a connection sends at once.\n',
    table(
      ['', 'req/s', '÷ Redis', 'p50 ms', 'p99 ms', 'CPU µs: Redis', 'baton'],
      pipelined.map((row) => pipelineCells(row, pipelined)),
    ),
  ].join('\n')
}

function pipelineCells(
  { name, pipelined, requestsPerSecond, p50Ms, p99Ms, cpuMicros }: PipelineRow,
  all: readonly PipelineRow[],
): string[] {
  const base = all.find((row) => row.name === 'Redis' && row.pipelined === pipelined)?.requestsPerSecond ?? Number.NaN
  return [
    `P=${pipelined}, ${name}`,
    requestsPerSecond.toFixed(0),
    (requestsPerSecond / base).toFixed(2),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    ...cpuCells(cpuMicros, ['redis', 'baton'], 2),
  ]
}

export function savingsText(rows: readonly SavingsRow[], { zipfKeys, zipfReads, rounds }: Scale): string {
  const alone = rows[0]?.cpuMs.redis ?? Number.NaN
  return [
    '## Redis’s CPU\n',
    `${zipfReads} reads of 1 KB in each turn, of ${zipfKeys} keys by Zipf’s law (exponent ${exponent}), ${clients} ioredis clients one at a time; told for 100,000, medians of ${rounds} rounds. Each round has a baton of its own. It takes a key in at its second miss, by two more commands (GETRANGE, PTTL); they are in Redis’s CPU.\n`,
    table(
      ['', 'reads/s', 'hit ratio', 'CPU ms: Redis', '÷ alone', 'baton'],
      rows.map(({ name, perSecond, hitRatio, cpuMs }) => [
        name,
        perSecond.toFixed(0),
        percent(hitRatio ?? Number.NaN),
        ...cpuCells(cpuMs, ['redis'], 0),
        ((cpuMs.redis ?? Number.NaN) / alone).toFixed(2),
        ...cpuCells(cpuMs, ['baton'], 0),
      ]),
    ),
  ].join('\n')
}

export function warmUpsText(rows: readonly WarmRow[], { warmKeys, rounds }: Scale): string {
  return [
    '## Warm-up\n',
    `${warmKeys} keys of 1 KB, named by a file; medians of ${rounds} rounds. Beside it one client of Redis and one of the gateway ask for one key once a millisecond: their p99, and what the gateway’s client waited at most, which is about how long baton did nothing else. CPU is of the whole time.\n`,
    table(
      ['', 'seconds', 'keys/s', 'CPU ms: Redis', 'baton', 'Redis p99 ms', 'gateway p99 ms', 'max ms'],
      rows.map(({ name, keys, seconds, cpuMs, besideP99Ms, gatewayP99Ms, gatewayMaxMs }) => [
        name,
        seconds.toFixed(2),
        keys === 0 ? '–' : (keys / seconds).toFixed(0),
        ...cpuCells(cpuMs, ['redis', 'baton'], 0),
        besideP99Ms.toFixed(2),
        gatewayP99Ms.toFixed(2),
        gatewayMaxMs.toFixed(1),
      ]),
    ),
  ].join('\n')
}

export function afterUpgradeText(upgrades: readonly Watched[], scale: Scale): string {
  const [cold, warmed] = [upgrades.filter((each) => !each.warmed), upgrades.filter((each) => each.warmed)]
  const windows = [0, 1, 2, 5, 10, 20, 30, 60].filter((second) => second <= scale.watchSeconds)
  const cells = ({ p50Ms, p99Ms, hitRatio }: WindowFigures): string[] => [p50Ms.toFixed(2), p99Ms.toFixed(2), percent(hitRatio)]
  const rows = windows.slice(1).map((to, at) => {
    const window = { from: windows[at] ?? 0, to }
    const [one, other] = [figuresIn(cold, window), figuresIn(warmed, window)]
    return [
      `${window.from}–${to} s`,
      one.requests.toFixed(0),
      ...cells(one),
      ...cells(other),
      (one.p50Ms / other.p50Ms).toFixed(2),
      (one.p99Ms / other.p99Ms).toFixed(2),
    ]
  })
  const [before, beforeWarmed] = [figuresBefore(cold), figuresBefore(warmed)]
  const held = warmed.map(({ heldAtFirst }) => heldAtFirst).join(', ')
  const proxy = (all: readonly Watched[]): string => percent(median(all.map(({ proxyBusy }) => proxyBusy)))
  const took = (all: readonly Watched[]): string =>
    all.map(({ orderedAt, servesAt }) => ((servesAt - orderedAt) / 1_000).toFixed(1)).join(', ')
  return [
    '## v2 after an upgrade, cold and warmed\n',
    `A real \`baton upgrade --to v2\` of a small app: ${scale.requestsPerSecond} requests a second are due, whatever the answers do, each timed from then; each reads ${itemsPerRequest} keys of 1 KB one after another through its version’s gateway, of ${scale.zipfKeys} keys by Zipf’s law, and Redis is ${delayMs} ms away (injected as above). v1 holds every key by then. All traffic goes to v2 at once, and its first ${scale.watchSeconds} s are looked at, not a whole minute, so that the bench stays short. v2’s process is new in both cases. Medians of ${scale.upgrades} upgrades each, cold and warmed by turns; the warmed v2 held ${held} keys at its first request. From the order to that request: cold ${took(cold)} s, warmed ${took(warmed)} s, the start of v2’s process included. The delay proxy took ${proxy(cold)} of a core beside the cold v2 and ${proxy(warmed)} beside the warmed one, which a network would not.\n`,
    '![v2 after an upgrade](cache.svg)\n',
    table(
      ['', 'requests', 'cold p50 ms', 'p99 ms', 'hit ratio', 'warmed p50 ms', 'p99 ms', 'hit ratio', 'p50 cold ÷ warmed', 'p99'],
      [['v1 before', before.requests.toFixed(0), ...cells(before), ...cells(beforeWarmed), '–', '–'], ...rows],
    ),
  ].join('\n')
}

export function writesText(rows: readonly WriteRow[], { rounds }: Scale): string {
  return [
    '## Writes of a hot key\n',
    `One key of 1 KB, written by a client of Redis and read through both versions’ gateways, or by as many clients of Redis alone; open loops, medians of ${rounds} rounds. Commands of Redis for each write, the write included: those of clients (misses are passed) and those of baton (GETRANGE and PTTL, two for a read that serves both versions). A key is refreshed at most once per 100 ms; what a client misses meanwhile is read for the cache as well, one read of baton at a time, and the last columns tell the two apart. CPU is ms for each second.\n`,
    table(
      [
        'writes/s, reads/s',
        'commands a write',
        'of clients',
        'of baton',
        'hit ratio',
        'CPU ms/s: Redis',
        'baton',
        'refreshes/s',
        'other reads/s',
      ],
      rows.map(writeCells),
    ),
  ].join('\n')
}

function writeCells(row: WriteRow): string[] {
  const { writesPerSecond, readsPerSecond, through, passed, read, refreshes, fills, hitRatio, redisCpuMs, batonCpuMs } = row
  const name = `${writesPerSecond}, ${readsPerSecond}, ${through}`
  // what is left of the turn before is none of its own
  if (through === 'Redis alone') return [name, (1 + passed).toFixed(2), passed.toFixed(2), '–', '–', redisCpuMs.toFixed(1), '–', '–', '–']
  return [
    name,
    (1 + passed + read).toFixed(2),
    passed.toFixed(2),
    read.toFixed(2),
    percent(hitRatio ?? Number.NaN),
    redisCpuMs.toFixed(1),
    batonCpuMs.toFixed(1),
    (refreshes * writesPerSecond).toFixed(1),
    (Math.max(0, fills - refreshes) * writesPerSecond).toFixed(1),
  ]
}

function cpuCells(cpu: Cpu, names: readonly string[], digits: number): string[] {
  return names.map((name) => cpu[name]?.toFixed(digits) ?? '–')
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : '–'
}
