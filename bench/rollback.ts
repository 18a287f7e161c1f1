/**
 * How soon a bad version is taken back, under the default policy: a real baton, real processes, 200 requests a second, a step of 10 %.
 * `npm run bench:rollback [-- --only PART --at-once 4]` writes its table into bench/rollback.md, between its two marks; a part is only shown.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { formatDuration } from '../src/config/quantity.ts'
import type { Receipt } from '../src/rollout/receipt.ts'
import type { Upgrade } from '../src/rollout/upgrade.ts'
import type { Exchange } from '../test/rollback/kit/load.ts'
import { type RollbackRun, type Seen, startRun } from '../test/rollback/kit/rollback-run.ts'
import { type BadVersion, badVersions, pathOf } from './rollback/bad-versions.ts'
import { writeRollbackSection } from './section.ts'

const ratePerSecond = 200
const weight = 10
const stepMs = 120_000
const watchSeconds = 300
/** Longer than the default limits let any breach last. */
const limitMs = 420_000

interface Outcome {
  readonly decision: string
  /** From the first request that went bad to the last one that the version got; null: there was none, or it is not taken back. */
  readonly seconds: number | null
  readonly failed: number
  readonly late: number | null
  /** That a watch of five minutes would have let through. */
  readonly byWatch: number
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, 'at-once': { type: 'string', default: '1' } } })
const chosen = badVersions.filter(({ name }) => name.includes(values.only))
const rows = await inLanes(chosen, Number(values['at-once']), async (bad) => rowOf(bad, await outcomeOf(bad)))
if (values.only === '') writeRollbackSection('rollback runs', sectionOf(rows))

async function outcomeOf(bad: BadVersion): Promise<Outcome> {
  await using run = await startRun({
    v2: bad.env,
    rate: bad.isIdle === true ? 0 : ratePerSecond,
    path: pathOf,
    steps: [
      { weight, for: formatDuration(stepMs) },
      { bake: true, for: '30s' },
    ],
    analysis: {},
    config: { health: { http: '/healthz' }, timeouts: {}, drain: {} },
  })
  if (bad.isIdle !== true) await run.served(ratePerSecond * 5)
  await run.begin()
  const seen = await run.until((now) => isDecided(now.upgrade) || isLeftWaiting(now), limitMs)
  const receipt = seen.upgrade.phase === 'rolled-back' ? await run.receipt() : null
  // what was under way when it was taken back may still fail
  await run.load.stop()
  return { ...judge(bad, run, receipt), decision: receipt === null ? onwardOf(seen) : decisionOf(receipt) }
}

function isDecided({ phase, ...upgrade }: Upgrade): boolean {
  return phase === 'rolled-back' || phase === 'failed' || ('step' in upgrade && upgrade.step > 0)
}

/** Half as long again as its step is, and nothing was measured. */
function isLeftWaiting({ upgrade, analysis }: Seen): boolean {
  return upgrade.phase === 'shift' && analysis?.noData === 'wait' && analysis.at >= upgrade.since + 1.5 * stepMs
}

function onwardOf(seen: Seen): string {
  return isLeftWaiting(seen) ? `waits (${seen.analysis?.why})` : 'goes on'
}

function judge({ lateMs }: BadVersion, run: RollbackRun, receipt: Receipt | null): Omit<Outcome, 'decision'> {
  const { exchanges } = run.load
  const isFailed = ({ status }: Exchange) => status === 0 || status >= 500
  const isLate = ({ sentAt, endedAt, version }: Exchange) => lateMs !== null && version !== 'v1' && endedAt - sentAt > lateMs
  const failed = exchanges.filter(isFailed).length
  const got = run.requestsOfV2()
  const firstBad = Math.min(...exchanges.filter((one) => isFailed(one) || isLate(one)).map(({ sentAt }) => sentAt))
  const last = Math.max(...got)
  return {
    seconds: receipt === null || !Number.isFinite(firstBad) ? null : Math.max(0, last - firstBad) / 1_000,
    failed,
    late: lateMs === null ? null : exchanges.filter(isLate).length,
    byWatch: Math.round((failed / Math.max(1, got.length)) * ratePerSecond * (weight / 100) * watchSeconds),
  }
}

function decisionOf({ verdict, moves, why }: Receipt): string {
  const breaches = verdict?.signals.filter(({ is, counts }) => is === 'breach' && counts).map(({ signal }) => signal) ?? []
  const degrades = moves.filter(({ event, place }) => event === 'verdict' && place.endsWith('degraded')).length
  const reason =
    verdict === null ? (why?.code ?? '') : verdict.hardStop === null ? breaches.join(', ') : `hard stop: ${verdict.hardStop.is}`
  return `rolled back (${reason}${degrades === 0 ? '' : `, after ${degrades} degrades`})`
}

function rowOf({ name }: BadVersion, { decision, seconds, failed, late, byWatch }: Outcome): string {
  const cells = [name, decision, seconds?.toFixed(1) ?? '–', String(failed), late === null ? '–' : String(late), String(byWatch)]
  const row = `| ${cells.join(' | ')} |`
  process.stderr.write(`${row}\n`)
  return row
}

/** In the order of the input, so many at a time. */
async function inLanes<T, R>(all: readonly T[], lanes: number, run: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const left = [...all.entries()]
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) results[next[0]] = await run(next[1])
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return results
}

function sectionOf(lines: readonly string[]): string {
  return [
    '## Runs',
    '',
    `A real baton before two real processes, ${ratePerSecond} requests a second, one in ten of them to a route of its own, a step of ${weight} %, the`,
    'default limits; written by `npm run bench:rollback`. Seconds go from the first request that went bad to the last one that the bad version',
    'got, the time at header-only between included. “Failed” and “late” are what users saw. The last column is computed, not run: the share of',
    'its requests that failed, times what a fixed watch of five minutes at the same weight, blind to health, would have sent there. Users give up',
    `after 30 s. Run ${values['at-once']} at a time, on ${availableParallelism()} cores.`,
    '',
    '| version | decision | seconds | failed | late | failed in a five-minute watch |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}
