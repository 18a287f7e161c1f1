/** The limits that a new version is judged by. Dynamic configuration: they may change in the middle of an upgrade. */
import { analysisDefaults } from '../config/analysis-defaults.ts'

export const signalNames = ['errorRate', 'latency', 'cpu'] as const
export type SignalName = (typeof signalNames)[number]

export interface SignalPolicy {
  /** Its breach counts towards a level, and keeps the plan from advancing. */
  readonly required: boolean
  /** Judged and shown, never counted. */
  readonly dryRun: boolean
}

export interface ErrorRatePolicy extends SignalPolicy {
  /** Of the candidate's window; with fewer it is inconclusive, and the hard stop too. */
  readonly minRequests: number
  /** Breach: above `factor` × the greater of stable's rate and `floor`, by more than chance in either rate explains. */
  readonly factor: number
  /** A share: 0.001 is 0.1 %. */
  readonly floor: number
}

export interface LatencyPolicy extends SignalPolicy {
  /** Of either version's window: a p99 of fewer is chance. */
  readonly minRequests: number
  /** Breach: p99 above stable's by more than this, and by more than chance explains. */
  readonly addMs: number
}

export interface CpuPolicy extends SignalPolicy {
  /** Breach: more than this share of the limit, on average over `forMs`. */
  readonly share: number
  readonly forMs: number
}

/** Nothing was measured at a step whose time is over: stay there, go on, or go back. */
export type OnNoData = 'wait' | 'promote' | 'rollback'

export interface Policy {
  readonly enabled: boolean
  readonly windows: { readonly candidateMs: number; readonly stableMs: number }
  /** After a step has begun: connections open, code and caches are cold. Signals are inconclusive, hard stops are not. */
  readonly graceMs: number
  readonly errorRate: ErrorRatePolicy
  readonly latency: LatencyPolicy
  readonly cpu: CpuPolicy
  /** L2: back to header-only this long, then the step again; `max` times, the next is a rollback. */
  readonly degrade: { readonly forMs: number; readonly max: number }
  /** A breach that has lasted this long acts one level higher, and again after each such time. */
  readonly escalateMs: number
  /** Each is enough for a rollback. 0: off. */
  readonly hardStops: { readonly errorRate: number; readonly notReadyMs: number; readonly exit: boolean }
  readonly onNoData: OnNoData
}

export const defaultPolicy: Policy = analysisDefaults
