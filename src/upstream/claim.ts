/** One attempt of an exchange at a version, as the version and its drain see it. */
import type { Fault } from '../errors.ts'

/** `stream`: a response that goes on for as long as it likes (server-sent events). `tunnel`: an upgraded connection. */
export type ClaimKind = 'request' | 'stream' | 'tunnel'
export const claimKinds: readonly ClaimKind[] = ['request', 'stream', 'tunnel']

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
