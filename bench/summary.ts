/** From turns to what is reported: medians, ratios, aims. Pure. */
import type { Turn } from './turn.ts'

/** One proxy under one workload: medians over its rounds, but the sum of the errors and the highest peak. */
export type Row = Turn & { readonly rounds: number }

/** CPU per request of one proxy ÷ that of another under the same workload; null where either was not measured. */
export type Ratio = number | null

/** Of the proxy core: more than this for others, or less than this for the proxy, and a number proves nothing. */
const othersAtMost = 0.1
const busyAtLeast = 0.7

/** False where other work had the proxy core, or the load core was the limit: then CPU per request is off, since less is done at each wake. */
export function isSound(row: Row): boolean {
  return row.others <= othersAtMost && row.busy >= busyAtLeast
}

export interface Aim {
  readonly what: string
  /** Of the limit and of what was found. */
  readonly unit: '' | ' %'
  readonly limit: number
  readonly found: number | null
  /** null: not measured, or not soundly. */
  readonly met: boolean | null
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export function summarize(turns: readonly Turn[]): Row[] {
  const groups = Map.groupBy(turns, (turn) => `${turn.workload} ${turn.peer}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    return first === undefined ? [] : [rowOf(first, group)]
  })
}

function rowOf({ peer, workload }: Turn, group: readonly Turn[]): Row {
  const middle = (pick: (turn: Turn) => number): number => median(group.map(pick))
  return {
    peer,
    workload,
    rounds: group.length,
    requests: group.reduce((sum, turn) => sum + turn.requests, 0),
    requestsPerSecond: middle((turn) => turn.requestsPerSecond),
    cpuMicrosPerRequest: middle((turn) => turn.cpuMicrosPerRequest),
    busy: middle((turn) => turn.busy),
    others: middle((turn) => turn.others),
    p50Ms: middle((turn) => turn.p50Ms),
    p99Ms: middle((turn) => turn.p99Ms),
    peakBytes: Math.max(...group.map((turn) => turn.peakBytes)),
    errors: group.reduce((sum, turn) => sum + turn.errors, 0),
  }
}

export function cpuRatio(rows: readonly Row[], workload: string, peer: string, base: string): Ratio {
  const cpuOf = (name: string): number | undefined =>
    rows.find((row) => row.workload === workload && row.peer === name)?.cpuMicrosPerRequest
  const [above, below] = [cpuOf(peer), cpuOf(base)]
  return above === undefined || below === undefined ? null : above / below
}

/** The aims of the project for baton, one for each workload that was run. `recordingNanos`: what recording one exchange takes. */
export function aimsOf(rows: readonly Row[], workloads: readonly string[], recordingNanos: number): Aim[] {
  const soundOf = (workload: string, base: string): boolean =>
    rows.filter((row) => row.workload === workload && ['baton', base].includes(row.peer)).every(isSound)
  const ratioAim = (workload: string, base: string, limit: number): Aim =>
    aim(`${workload}: CPU per request ÷ ${base}'s`, limit, cpuRatio(rows, workload, 'baton', base), soundOf(workload, base))
  const small = rows.find((row) => row.workload === 'small' && row.peer === 'baton')
  // ns of µs, in percent
  const recording = small === undefined ? null : recordingNanos / small.cpuMicrosPerRequest / 10
  const peaks = rows.filter((row) => row.peer === 'baton').map((row) => row.peakBytes / 1e6)
  return [
    ...workloads.map((workload) => ratioAim(workload, 'reply-from', 0.6)),
    ...workloads.map((workload) => ratioAim(workload, 'http-proxy', 0.4)),
    aim('peak RSS at 64 connections, MB (10^6 bytes)', 110, peaks.length === 0 ? null : Math.max(...peaks), true),
    { ...aim('recording: share of CPU per small request', 2, recording, soundOf('small', 'baton')), unit: ' %' },
  ]
}

const aim = (what: string, limit: number, found: number | null, sound: boolean): Aim => ({
  what,
  unit: '',
  limit,
  found,
  met: found === null || !sound ? null : found <= limit,
})
