/** A receipt for people: GitHub-flavoured Markdown, times in UTC. */
import type { SignalName } from './policy.ts'
import type { Latency, Receipt } from './receipt.ts'
import { percent } from './signals.ts'

export function receiptMarkdown(receipt: Receipt): string {
  const sections = [headLines, figureLines, latencyLines, warmLines, verdictLines, phaseLines, moveLines].map((lines) => lines(receipt))
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function headLines({ id, from, to, plan, result, why, beganAt, endedAt, durationMs }: Receipt): readonly string[] {
  const reason = why === null ? '' : ` (${why.code}: ${cell(why.detail)})`
  const ended = endedAt === null ? 'not ended yet' : `ended ${timeText(endedAt)}`
  return [
    `# ${id}: ${from} → ${to}, ${result}`,
    '',
    `**${result}**${reason}. Plan \`${plan.name}\`, strategy \`${plan.strategy}\`. Began ${timeText(beganAt)}, ${ended}, ${durationText(durationMs)} in all.`,
  ]
}

function figureLines({ exchanges, cut, failed }: Receipt): readonly string[] {
  const rows = Object.entries(exchanges).map(([version, count]) => [`exchanges of ${version}`, String(count)])
  return table(['', ''], [...rows, ['cut', known(cut)], ['failed', known(failed)]])
}

function latencyLines({ latency }: Receipt): readonly string[] {
  const rows = Object.entries(latency).filter((row): row is [string, Latency] => row[1] !== null)
  if (rows.length === 0) return []
  return table(
    ['latency (ms)', 'p50', 'p99'],
    rows.map(([when, { p50, p99 }]) => [when, known(p50), known(p99)]),
  )
}

/** A receipt of an older build has none. */
function warmLines({ warm, to }: Receipt): readonly string[] {
  if (warm === null || warm === undefined) return []
  const { keys, bytes, coverage, predicted, tookMs } = warm
  const shares = [
    ...(coverage === null ? [] : [`${percent(coverage)} of what was to be warmed`]),
    ...(predicted === null ? [] : [`${percent(predicted)} of the reads that are predicted`]),
  ]
  return [
    `The cache of ${to} was warmed in ${durationText(Math.round(tookMs))}: ${[`${keys} keys`, `${bytes} bytes`, ...shares].join(', ')}.`,
  ]
}

/** What took it back. A receipt of an older build has none. */
function verdictLines({ verdict }: Receipt): readonly string[] {
  if (verdict === null || verdict === undefined) return []
  const { level, signals, hardStop } = verdict
  const rows = signals.map(({ signal, is, observed, limit, counts, why }) => [
    signal,
    figure(signal, observed),
    figure(signal, limit),
    is,
    counts ? 'yes' : 'no',
    why,
  ])
  const head = `Taken back by the verdict of ${timeText(verdict.at)}${level === null ? '' : `, ${level}`}`
  return [
    `${head}${hardStop === null ? '' : `, hard stop ${hardStop.is}: ${cell(hardStop.why)}`}.`,
    '',
    ...table(['signal', 'new version', 'limit', 'verdict', 'counts', ''], rows),
  ]
}

function figure(signal: SignalName, value: number | null): string {
  if (value === null) return 'not measured'
  return signal === 'latency' ? `${known(value)} ms` : percent(value)
}

function phaseLines({ phases, beganAt }: Receipt): readonly string[] {
  return table(
    ['phase', 'at', 'for'],
    phases.map((each) => [each.phase, sinceText(each.beganAt - beganAt), durationText(each.durationMs)]),
  )
}

function moveLines({ moves, beganAt }: Receipt): readonly string[] {
  return table(
    ['at', 'move', 'event', 'to', ''],
    moves.map(({ at, seq, event, phase, place }) => [sinceText(at - beganAt), String(seq), event, phase, place]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
}

/** What an app or an operator wrote must not end a cell. */
function cell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replace(/\s+/g, ' ')
}

function known(figure: number | null): string {
  return figure === null ? 'not measured' : String(Math.round(figure * 100) / 100)
}

function timeText(at: number): string {
  return new Date(at).toISOString()
}

function sinceText(ms: number): string {
  return `+${durationText(ms)}`
}

function durationText(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.floor(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
