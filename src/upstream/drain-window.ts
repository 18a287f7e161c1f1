/** How a drain divides its time, as pure functions. */
import type { ClaimKind } from './claim.ts'

export interface DrainLimits {
  /** A request may run at least this long, however quick others were, but never past the deadline. */
  readonly graceMs: number
  /** Streams, and tunnels, that are still there after this are cut; never later than the deadline, which is theirs without it. */
  readonly streamsMs?: number
  readonly tunnelsMs?: number
  /** What is left then is cut. */
  readonly deadlineMs: number
}

/** How long from a drain's begin each kind may run; `windowMs` is that of requests. */
export function timesByKind(windowMs: number, { streamsMs, tunnelsMs, deadlineMs }: DrainLimits): Readonly<Record<ClaimKind, number>> {
  const within = (ms: number): number => Math.min(ms, deadlineMs)
  return { request: within(windowMs), stream: within(streamsMs ?? deadlineMs), tunnel: within(tunnelsMs ?? deadlineMs) }
}

/** Room for the slowest one in twenty, of which p95 says only where they begin. */
const slowFactor = 1.8

/** How long from a drain's begin a request may run; `p95Ms` is of recent requests with the ages of those under way. */
export function requestWindowMs(p95Ms: number, { graceMs, deadlineMs }: DrainLimits): number {
  return Math.min(deadlineMs, Math.max(graceMs, p95Ms * slowFactor))
}

export interface Slices {
  readonly everyMs: number
  /** How many are asked to go each time. */
  readonly size: number
}

const sliceMs = 100
/** So few can come back at once without anybody noticing. */
const smallest = 10

/**
 * Streams and tunnels are asked to go a few at a time, so that their clients do not all come back in one instant: within the first half of
 * the time that they have, and each then has at least the other half to go.
 */
export function askingSlices(count: number, limits: DrainLimits): Slices {
  const { stream, tunnel } = timesByKind(0, limits)
  const spreadMs = Math.min(stream, tunnel) / 2
  const everyMs = Math.min(sliceMs, Math.max(1, spreadMs / 20))
  const times = Math.max(1, Math.floor(spreadMs / everyMs))
  return { everyMs, size: Math.max(smallest, Math.ceil(count / times)) }
}
