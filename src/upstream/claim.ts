/** One attempt of an exchange at a version, as the version and its drain see it. */
import type { Fault, FaultCode } from '../errors.ts'

/** `stream`: a response that goes on for as long as it likes (server-sent events). `tunnel`: an upgraded connection. */
export type ClaimKind = 'request' | 'stream' | 'tunnel'
export const claimKinds: readonly ClaimKind[] = ['request', 'stream', 'tunnel']

/** How a version may fail an exchange. `status`: it answered 5xx. */
export const failureKinds = ['status', 'connect', 'timeout', 'reset', 'protocol'] as const
export type FailureKind = (typeof failureKinds)[number]

/** `repeated`: it failed, and the same version is asked again: only that attempt counts. */
export type Outcome = 'answered' | 'repeated' | FailureKind

export interface Claim {
  /** Kept by the version; nobody else writes it. -1: settled, or not claimed. */
  slot: number
  /** Monotonic ms. */
  readonly claimedAt: number
  /** A request may become one of the others. */
  readonly kind: ClaimKind
  /** Asks it to end at its next good point. A request does nothing: it ends by itself. */
  leave(): void
  /** The drain's time for it has passed. */
  cut(fault: Fault): void
  /** Ends it if one of its own deadlines has passed at `now` (monotonic ms). */
  check(now: number): void
}

/** Faults that are the version's; any other says nothing of it. */
const failureOf: Partial<Readonly<Record<FaultCode, FailureKind>>> = {
  'not-serving': 'connect',
  'connect-failed': 'connect',
  'connect-timeout': 'connect',
  'head-timeout': 'timeout',
  'idle-timeout': 'timeout',
  'exchange-timeout': 'timeout',
  'upstream-reset': 'reset',
  'upstream-protocol': 'protocol',
}

/** `status` is what the version answered; of an exchange that ended by a fault it does not matter. */
export function outcomeOf(status: number, fault: Fault | null): Outcome {
  if (fault === null) return status >= 500 ? 'status' : 'answered'
  return failureOf[fault.code] ?? 'answered'
}
