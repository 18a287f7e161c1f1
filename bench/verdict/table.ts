/** What many histories of one service at one rate came to, as a line of a table. */
import type { History } from './history.ts'

export interface Cell {
  readonly service: string
  readonly perSecond: number
  readonly histories: readonly History[]
}

const heads = [
  'service',
  'requests/s',
  'rolled back',
  'promoted',
  'still on its way',
  'degraded',
  'seconds to rollback: median',
  '95 %',
  'failed',
]

export function tableOf(cells: readonly Cell[]): string {
  const lines = [heads, heads.map(() => '---'), ...cells.map(lineOf)]
  return lines.map((parts) => `| ${parts.join(' | ')} |`).join('\n')
}

function lineOf({ service, perSecond, histories }: Cell): string[] {
  const share = (holds: (history: History) => boolean) => percent(histories.filter(holds).length / histories.length)
  const back = histories.filter(({ end }) => end === 'rolled back')
  const seconds = back.map((history) => history.seconds ?? 0)
  return [
    service,
    `${perSecond}`,
    share(({ end }) => end === 'rolled back'),
    share(({ end }) => end === 'promoted'),
    share(({ end }) => end === 'waiting'),
    share(({ degrades }) => degrades > 0),
    rank(seconds, 0.5),
    rank(seconds, 0.95),
    rank(
      histories.map(({ failed }) => failed),
      0.5,
    ),
  ]
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`
}

function rank(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  return `${sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? '–'}`
}
