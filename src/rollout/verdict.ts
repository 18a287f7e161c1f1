/**
 * What is to be done about a new version: a pure function of the policy, what was measured, and what the verdicts before it remember.
 *
 * The required set: signals that are required, not `dryRun`, and not absent. How many of it are in breach gives the level:
 *
 *   required signals   1 in breach   2    3
 *   3                  L3            L2   L1
 *   2                  L3            L1
 *   1                  L2
 *
 * L3 alerts, L2 degrades, L1 rolls back. After a breach has lasted `escalateMs` the level is one higher, and again after each such time.
 * A hard stop is L1 at once, during the grace of a step too.
 *
 * A breach lasts while its signal is in breach. `pass` ends it; inconclusive and absent neither end it nor let it grow older: so what was seen
 * before a degrade is not forgotten by it, and what was not seen is not held against the version.
 */
import { formatDuration } from '../config/quantity.ts'
import type { Measurements } from './measurements.ts'
import { type OnNoData, type Policy, type SignalName, signalNames } from './policy.ts'
import { errorRate, type Judged, judge, percent } from './signals.ts'

/** L3: alert. L2: degrade. L1: rollback. */
export type Level = 'L3' | 'L2' | 'L1'
const levels: readonly Level[] = ['L3', 'L2', 'L1']

export interface SignalVerdict extends Judged {
  readonly signal: SignalName
  readonly required: boolean
  readonly dryRun: boolean
  /** It is of the required set: its breach counts. */
  readonly counts: boolean
  /** For how long it has been in breach; null: it is not. */
  readonly breachForMs: number | null
}

export interface HardStop {
  readonly is: 'exit' | 'not-ready' | 'error-rate'
  readonly why: string
}

export interface Verdict {
  /** ms since the epoch, of the measurements. */
  readonly at: number
  /** `pass`: every signal of the required set passes, and there is one. */
  readonly is: 'pass' | 'breach' | 'inconclusive'
  /** What is to be done; null: nothing. */
  readonly level: Level | null
  readonly hardStop: HardStop | null
  /** Every one, in the order of `signalNames`. */
  readonly signals: readonly SignalVerdict[]
  /** The required set. */
  readonly required: readonly SignalName[]
  /** Required by the policy, and not to be known here: they have left the set. */
  readonly absent: readonly SignalName[]
  /** The plan may go to its next step once the step's own time and count are there. */
  readonly mayAdvance: boolean
  /** Not one exchange ended at a step that expects some: what the policy says of that, once the step's own time is over. Null: there were some. */
  readonly noData: OnNoData | null
  /** What happens if nothing changes. Null: nothing more. */
  readonly next: { readonly level: Level; readonly inMs: number } | null
  /** Reported and never judged, since both share a pod's CPU. In ms; null: not to be known, or there were no requests. */
  readonly cpuPerRequestMs: { readonly candidate: number | null; readonly stable: number | null }
  /** One line for people. */
  readonly why: string
}

/** Of each signal that has been in breach and has not passed since. Plain data. */
export type VerdictMemory = Readonly<Partial<Record<SignalName, BreachMemory>>>
interface BreachMemory {
  /** Of the last look. */
  readonly at: number
  readonly inBreach: boolean
  readonly lastedMs: number
}

export const noMemory: Readonly<VerdictMemory> = {}

/** At one moment of an upgrade. Give `memory` back at the next; it belongs to one upgrade. */
export function evaluate(policy: Policy, measurements: Measurements, memory: VerdictMemory): { verdict: Verdict; memory: VerdictMemory } {
  const judged = signalNames.map((signal) => ({ signal, found: judge(signal, policy, measurements) }))
  const remembered = Object.fromEntries(
    judged.flatMap(({ signal, found }) => {
      const kept = remember(found, memory[signal], measurements.at)
      return kept === null ? [] : [[signal, kept]]
    }),
  )
  const signals = judged.map(({ signal, found }) => signalVerdict(signal, found, policy, remembered[signal]))
  return { verdict: conclude(policy, measurements, signals), memory: remembered }
}

function remember({ is }: Judged, before: BreachMemory | undefined, at: number): BreachMemory | null {
  if (is === 'pass') return null
  if (is !== 'breach') return before === undefined ? null : { at, inBreach: false, lastedMs: before.lastedMs }
  const moreMs = before?.inBreach === true ? Math.max(0, at - before.at) : 0
  return { at, inBreach: true, lastedMs: (before?.lastedMs ?? 0) + moreMs }
}

function signalVerdict(signal: SignalName, found: Judged, policy: Policy, kept: BreachMemory | undefined): SignalVerdict {
  const { required, dryRun } = policy[signal]
  const counts = policy.enabled && required && !dryRun && found.is !== 'absent'
  return { signal, ...found, required, dryRun, counts, breachForMs: kept?.inBreach === true ? kept.lastedMs : null }
}

function conclude(policy: Policy, measurements: Measurements, signals: readonly SignalVerdict[]): Verdict {
  const hardStop = policy.enabled ? hardStopOf(policy, measurements) : null
  const set = signals.filter(({ counts }) => counts)
  const breaches = set.filter(({ is }) => is === 'breach')
  const lastedMs = Math.max(0, ...breaches.map(({ breachForMs }) => breachForMs ?? 0))
  const level = hardStop === null ? levelOf(set.length, breaches.length, Math.floor(lastedMs / policy.escalateMs)) : 'L1'
  const noData = policy.enabled ? noDataOf(policy, measurements) : null
  const isIdle = noData === null || (noData === 'promote' && measurements.candidate.traffic.inFlight === 0)
  const is = hardStop !== null || breaches.length > 0 ? 'breach' : isPass(set) ? 'pass' : 'inconclusive'
  return {
    at: measurements.at,
    is,
    level,
    hardStop,
    signals,
    required: set.map(({ signal }) => signal),
    absent: signals.filter((one) => one.required && !one.dryRun && one.is === 'absent').map(({ signal }) => signal),
    mayAdvance: is !== 'breach' && isIdle,
    noData,
    next: nextOf(level, lastedMs, policy.escalateMs),
    cpuPerRequestMs: {
      candidate: measurements.candidate.cpu?.perRequestMs ?? null,
      stable: measurements.stable.cpu?.perRequestMs ?? null,
    },
    why: hardStop?.why ?? whyOf(is, set, noData),
  }
}

/** `more`: how often it has risen. */
function levelOf(required: number, breaches: number, more: number): Level | null {
  if (breaches === 0) return null
  return levels[Math.min(levels.length - 1, firstLevel(required, breaches) + more)] ?? 'L1'
}

/** The table at the head of this file, as places in `levels`. */
function firstLevel(required: number, breaches: number): number {
  if (required === 1) return 1
  return required === 2 ? (breaches - 1) * 2 : breaches - 1
}

function hardStopOf({ hardStops, errorRate: { minRequests } }: Policy, { candidate }: Measurements): HardStop | null {
  const { exits, notReadyMs, traffic } = candidate
  if (hardStops.exit && exits > 0) return { is: 'exit', why: `its process ended by itself${exits > 1 ? `, ${exits} times` : ''}` }
  if (hardStops.notReadyMs > 0 && notReadyMs >= hardStops.notReadyMs) {
    return { is: 'not-ready', why: `not ready for ${formatDuration(hardStops.notReadyMs)}` }
  }
  const rate = errorRate(traffic)
  if (hardStops.errorRate === 0 || rate === null || rate < hardStops.errorRate || traffic.requests < minRequests) return null
  return {
    is: 'error-rate',
    why: `${percent(rate)} of ${traffic.requests} requests failed, and ${percent(hardStops.errorRate)} is a hard stop`,
  }
}

function noDataOf({ onNoData }: Policy, { expectsTraffic, candidate }: Measurements): OnNoData | null {
  return expectsTraffic && candidate.traffic.requests === 0 ? onNoData : null
}

function isPass(set: readonly SignalVerdict[]): boolean {
  return set.length > 0 && set.every(({ is }) => is === 'pass')
}

function nextOf(level: Level | null, lastedMs: number, escalateMs: number): Verdict['next'] {
  if (level === null || level === 'L1') return null
  return { level: level === 'L3' ? 'L2' : 'L1', inMs: escalateMs - (lastedMs % escalateMs) }
}

function whyOf(is: Verdict['is'], set: readonly SignalVerdict[], noData: OnNoData | null): string {
  if (noData !== null && is !== 'breach') return 'nothing was measured'
  if (set.length === 0) return 'no required signal is left'
  const told = is === 'pass' ? set : set.filter((one) => one.is === is)
  return told.map(({ signal, why }) => `${signal}: ${why}`).join('; ')
}
