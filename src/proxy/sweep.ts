/** Looks at every exchange a few times a second for a deadline that has passed: no timer a request. */

import type { LimitSettings } from '../config/settings.ts'
import type { Claim } from '../upstream/claim.ts'
import type { Timer, World } from '../world.ts'
import type { Gate } from './gate.ts'

export interface SweepParts {
  readonly world: World
  readonly gate: Gate
  limits(): LimitSettings
  /** A list of its own: an exchange that ends while it is walked leaves the version's. */
  inFlight(): readonly Claim[]
}

/** After a hold, those who waited are let in at this rate. */
const releasePerSecond = 2_000

export function startSweep({ world, gate, limits, inFlight }: SweepParts, periodMs: number): Timer {
  return world.every(periodMs, () => {
    const now = world.elapsed()
    gate.expire(now)
    gate.seep(limits(), (releasePerSecond * periodMs) / 1000)
    for (const claim of inFlight()) claim.check(now)
  })
}
