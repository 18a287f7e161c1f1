/** Asks streams and tunnels to go while their version still serves: baton leaves, and their clients have to find another one. */
import type { Timer, World } from '../world.ts'
import type { Claim } from './claim.ts'
import { askingSlices, type DrainLimits } from './drain-window.ts'

/** A few at a time, each once; until the timer is cancelled. `inFlight` is walked anew each time: what becomes a stream meanwhile is asked as well. */
export function askToGo(world: World, limits: DrainLimits, inFlight: () => readonly Claim[]): Timer {
  const asked = new WeakSet<Claim>()
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
