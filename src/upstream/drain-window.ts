/** How a drain divides its time, as pure functions. */

export interface DrainLimits {
  /** A request may run at least this long, however quick others were, but never past the deadline. */
  readonly graceMs: number
  /** What is left then is cut. */
  readonly deadlineMs: number
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
 * the deadline, and each then has at least the other half to go.
 */
export function askingSlices(count: number, { deadlineMs }: DrainLimits): Slices {
  const spreadMs = deadlineMs / 2
  const everyMs = Math.min(sliceMs, Math.max(1, spreadMs / 20))
  const times = Math.max(1, Math.floor(spreadMs / everyMs))
  return { everyMs, size: Math.max(smallest, Math.ceil(count / times)) }
}
