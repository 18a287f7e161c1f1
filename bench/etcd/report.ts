/** The runs as Markdown. Pure. */
import type { LoadReport } from '../../test/kit/load.ts'
import { table } from '../report.ts'
import { quantile } from '../upgrade/stretch.ts'

export interface Row {
  readonly name: string
  readonly means: string
  readonly instances: number
  readonly changes: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly requests: number
  /** By what went wrong: the error's code where the connection broke before an answer, `wrong` where the answer was. */
  readonly failed: Readonly<Record<string, number>>
  /** Of the clients, one at a time for each instance. */
  readonly connections: number
}

export interface Head {
  readonly date: string
  readonly machine: string
  readonly versions: string
  readonly notes: readonly string[]
}

export function rowOf(name: string, means: string, changes: number, effectMs: readonly number[], loads: readonly LoadReport[]): Row {
  const sorted = [...effectMs].sort((a, b) => a - b)
  const sum = (pick: (load: LoadReport) => number): number => loads.reduce((all, load) => all + pick(load), 0)
  return {
    name,
    means,
    instances: loads.length,
    changes,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? Number.NaN,
    requests: sum(({ answered }) => answered),
    failed: failuresOf(loads),
    connections: sum(({ connections }) => connections),
  }
}

export function renderEtcd(rows: readonly Row[], { date, machine, versions, notes }: Head): string {
  return [
    '# From a change to its effect\n',
    '`npm run bench:etcd` writes this page.\n',
    `- ${date}, ${machine}`,
    `- ${versions}`,
    ...notes.map((note) => `- ${note}`),
    '',
    table(['', 'instances', 'changes', 'p50 ms', 'p99 ms', 'max ms', 'requests', 'failed', 'connections'], rows.map(cellsOf)),
    '\nWhat a change is:\n',
    ...rows.map(({ name, means }) => `- **${name}**: ${means}.`),
    '',
  ].join('\n')
}

function failuresOf(loads: readonly LoadReport[]): Readonly<Record<string, number>> {
  const failed: Record<string, number> = {}
  const add = (what: string, count: number): void => {
    if (count > 0) failed[what] = (failed[what] ?? 0) + count
  }
  for (const { wrongCount, errors } of loads) {
    add('wrong', wrongCount)
    for (const [code, requests] of Object.entries(errors)) add(code, requests.length)
  }
  return failed
}

export function failedText(failed: Row['failed']): string {
  return (
    Object.entries(failed)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ') || '0'
  )
}

function cellsOf({ name, instances, changes, p50Ms, p99Ms, maxMs, requests, failed, connections }: Row): readonly string[] {
  const times = [p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1))
  return [name, String(instances), String(changes), ...times, String(requests), failedText(failed), String(connections)]
}
