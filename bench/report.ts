/** The report of one run, as Markdown that also reads well on a terminal. Pure. */
import { type Aim, cpuRatio, type Row } from './summary.ts'
import type { Workload } from './workload.ts'

export interface Result {
  readonly date: string
  readonly machine: string
  readonly versions: string
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly workloads: readonly Workload[]
  readonly peers: readonly { readonly name: string; readonly settings: string }[]
  /** Peers that were skipped or refused, and why; and what else a reader has to know. */
  readonly notes: readonly string[]
  readonly rows: readonly Row[]
  readonly aims: readonly Aim[]
}

const bases = ['nginx', 'http-proxy', 'reply-from']

export function renderReport(result: Result): string {
  return [
    '# Benchmark\n',
    '`npm run bench` writes this page.\n',
    ...head(result),
    '\n## Aims\n',
    table(['aim for baton', 'limit', 'found', ''], result.aims.map(aimCells)),
    ...result.workloads.flatMap((workload) => [`\n## ${workload.title}\n`, workloadTable(result, workload.name)]),
    '\n## Settings\n',
    ...result.peers.map(({ name, settings }) => `- **${name}**: ${settings}`),
    '',
  ].join('\n')
}

function head({ date, machine, versions, rounds, seconds, connections, notes }: Result): string[] {
  return [
    `- ${date}, ${machine}`,
    `- ${versions}`,
    `- Medians of ${rounds} interleaved rounds of ${seconds} s each; ${connections} connections, kept alive on both sides; all on loopback.`,
    '- Each proxy has core 0 for itself, and is started anew for each workload; wrk and the app (nginx, files in memory) share core 1. Answers were checked before anything was timed.',
    '- CPU is user + system time of the proxy’s processes ÷ requests. Latency is of a closed loop, so it follows the throughput. MB is 10^6 bytes.',
    '- *core* is the share of core 0 that the proxy used, *others* what everything else used of it. With core < 70 % or others > 10 % an aim is not judged.',
    ...notes.map((note) => `- ${note}`),
  ]
}

function aimCells({ what, unit, limit, found, met }: Aim): string[] {
  const digits = limit < 10 ? 2 : 0
  return [what, `≤ ${limit}${unit}`, found === null ? '–' : `${found.toFixed(digits)}${unit}`, verdictOf(found, met)]
}

function verdictOf(found: number | null, met: boolean | null): string {
  if (found === null) return 'not measured'
  if (met === null) return 'disturbed: run again'
  return met ? 'met' : 'NOT met'
}

function workloadTable({ rows, peers }: Result, workload: string): string {
  const mine = rows.filter((row) => row.workload === workload)
  const inOrder = peers.flatMap(({ name }) => mine.filter((row) => row.peer === name))
  const header = [
    '',
    'req/s',
    'CPU µs/req',
    ...bases.map((base) => `÷ ${base}`),
    'p50 ms',
    'p99 ms',
    'peak RSS MB',
    'core',
    'others',
    'errors',
  ]
  return table(
    header,
    inOrder.map((row) => rowCells(rows, row)),
  )
}

function rowCells(rows: readonly Row[], row: Row): string[] {
  const ratios = bases.map((base) => cpuRatio(rows, row.workload, row.peer, base))
  return [
    row.peer,
    row.requestsPerSecond.toFixed(0),
    row.cpuMicrosPerRequest.toFixed(1),
    ...ratios.map((ratio) => (ratio === null ? '–' : ratio.toFixed(2))),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    (row.peakBytes / 1e6).toFixed(1),
    percent(row.busy),
    percent(row.others),
    String(row.errors),
  ]
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

/** Columns padded to one width; all but the first to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((cell, at) => Math.max(3, cell.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]): string => `| ${widths.map((width, at) => pad(cells[at] ?? '', width, at)).join(' | ')} |`
  const rule = `| ${widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(header), rule, ...rows.map(line)].join('\n')
}

const pad = (cell: string, width: number, at: number): string => (at === 0 ? cell.padEnd(width) : cell.padStart(width))
