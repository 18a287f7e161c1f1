/** Looks at every exchange a few times a second for a deadline that has passed: no timer a request. */

import type { Claim } from '../upstream/version.ts'
import type { Timer, World } from '../world.ts'
import type { Gate } from './gate.ts'

export interface SweepParts {
  readonly world: World
  readonly gate: Gate
  inFlight(): Iterable<readonly Claim[]>
}

export function startSweep({ world, gate, inFlight }: SweepParts, periodMs: number): Timer {
  return world.every(periodMs, () => {
    const now = world.elapsed()
    gate.expire(now)
    // an exchange that ends leaves the list while it is walked
    for (const claims of inFlight()) for (const claim of [...claims]) claim.check(now)
  })
}
