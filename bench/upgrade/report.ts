/** The rounds as Markdown: medians for latency, sums for what was lost. Pure. */
import { table } from '../report.ts'
import { median } from '../summary.ts'
import { type Round, ratePerSecond, sockets, streams } from './round.ts'
import { type Figures, figuresOf } from './stretch.ts'

export interface Head {
  readonly date: string
  readonly machine: string
  readonly notes: readonly string[]
}

/** Stretch → what it is compared with. */
const compared: Readonly<Record<string, string>> = { upgrade: 'before', rollback: 'between' }

export function renderUpgrade(rounds: readonly Round[], { date, machine, notes }: Head): string {
  return [
    '# Upgrade under load\n',
    '`npm run bench:upgrade` writes this page and its picture.\n',
    `- ${date}, ${machine}, Node ${process.version.slice(1)}`,
    `- ${rounds.length} rounds, medians of p50 and p99, sums of what was lost. Open loop: ${ratePerSecond} requests a second are due, whatever the answers do, each timed from when it was due; half of them POSTs, a tenth slow on purpose (200 to 500 ms, not in the latency); beside them ${streams} event streams and ${sockets} WebSockets, open all the time.`,
    '- Load, baton, v1 and v2 share the machine’s cores; v2 starts and runs cold, as in a real upgrade.',
    ...notes.map((note) => `- ${note}`),
    '\n![Latency and traffic share over time](upgrade.svg)\n',
    '## Latency of short requests\n',
    latency(rounds),
    '\nThe promise (DESIGN.md section 12): p99 through an upgrade within 5 % or 1 ms of before, median of paired rounds.\n',
    '## The upgrade, phase by phase\n',
    byPhase(rounds),
    '\nWhile v2 starts it takes a core from those who serve; and its first requests find it cold.\n',
    '## Lost\n',
    lost(rounds),
    '',
  ].join('\n')
}

function latency(rounds: readonly Round[]): string {
  const names = rounds[0]?.stretches.map(({ name }) => name) ?? []
  return table(
    ['', 'requests', 'p50 ms', 'p99 ms', 'p99 against', 'difference ms', ''],
    names.map((name) => latencyRow(rounds, name)),
  )
}

function latencyRow(rounds: readonly Round[], name: string): readonly string[] {
  const all = rounds.map((round) => figuresIn(round, name))
  const figures = [
    String(all.reduce((sum, { requests }) => sum + requests, 0)),
    median(all.map(({ p50Ms }) => p50Ms)).toFixed(2),
    median(all.map(({ p99Ms }) => p99Ms)).toFixed(2),
  ]
  const base = compared[name]
  if (base === undefined) return [name, ...figures, '', '', '']
  const difference = median(rounds.map((round) => figuresIn(round, name).p99Ms - figuresIn(round, base).p99Ms))
  const allowed = Math.max(1, median(rounds.map((round) => figuresIn(round, base).p99Ms)) * 0.05)
  return [name, ...figures, base, difference.toFixed(2), difference <= allowed ? 'kept' : 'NOT kept']
}

function figuresIn({ exchanges, stretches }: Round, name: string): Figures {
  const stretch = stretches.find((each) => each.name === name)
  if (stretch === undefined) throw new Error(`no stretch ${name}`)
  return figuresOf(exchanges, stretch)
}

/** In the order of the first round; phases that last too short for a p99 are left out. */
function byPhase(rounds: readonly Round[]): string {
  const names = [...new Set(rounds.flatMap(({ upgrade }) => upgrade.map(({ name }) => name)))]
  const rows = names.map((name) => {
    const all = rounds.flatMap(({ exchanges, upgrade }) =>
      upgrade.filter((band) => band.name === name).map((band) => figuresOf(exchanges, band)),
    )
    return {
      name,
      requests: median(all.map(({ requests }) => requests)),
      p50Ms: median(all.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(all.map(({ p99Ms }) => p99Ms)),
    }
  })
  return table(
    ['phase', 'requests', 'p50 ms', 'p99 ms'],
    rows
      .filter(({ requests }) => requests >= 50)
      .map(({ name, requests, p50Ms, p99Ms }) => [name, String(requests), p50Ms.toFixed(2), p99Ms.toFixed(2)]),
  )
}

function lost(rounds: readonly Round[]): string {
  const sum = (count: (round: Round) => number) => String(rounds.reduce((all, round) => all + count(round), 0))
  return table(
    ['', 'count'],
    [
      ['requests sent', sum(({ verdict }) => verdict.sent)],
      ['failed', sum(({ verdict }) => verdict.failed.length)],
      ['cut', sum(({ verdict }) => verdict.cut.length)],
      ['POSTs that the app got twice', sum(({ verdict }) => verdict.doubled.length)],
      ['POSTs that were answered and that the app never got', sum(({ verdict }) => verdict.missing.length)],
      ['event streams cut within an event, or without their end', sum(({ verdict }) => verdict.streamsCut.length)],
      ['WebSockets that ended without 1012 or 1001', sum(({ verdict }) => verdict.socketsCut.length)],
      ['WebSocket messages lost or out of order', sum(({ verdict }) => verdict.wrongEchoes.length)],
    ],
  )
}
