/** Asks streams and tunnels to go, so that their clients find another place: as their version drains, or while it still serves and baton leaves. */
import type { Timer, World } from '../world.ts'
import type { Claim } from './claim.ts'
import { askingSlices, type DrainLimits } from './drain-window.ts'

/**
 * A few at once and then each interval, each claim once (it is in `asked` from just before on), until the timer is cancelled. `inFlight` is
 * walked anew each time: what becomes a stream meanwhile is asked as well.
 */
export function askToGo(world: World, limits: DrainLimits, inFlight: () => readonly Claim[], asked = new WeakSet<Claim>()): Timer {
  const waiting = () => inFlight().filter((claim) => claim.kind !== 'request' && !asked.has(claim))
  const { everyMs, size } = askingSlices(waiting().length, limits)
  const ask = () => {
    for (const claim of waiting().slice(0, size)) {
      asked.add(claim)
      claim.leave()
    }
  }
  ask()
  return world.every(everyMs, ask)
}
