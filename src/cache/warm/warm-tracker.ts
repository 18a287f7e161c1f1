import { pause, type World } from '../../world.ts'
import type { Name } from '../entry.ts'
import type { Want } from '../read-keys.ts'
import type { Session } from '../session.ts'
import type { Filled } from '../tracker.ts'
import type { View } from '../view.ts'

/** The tracker, as far as what reads names needs it. */
export interface WarmTracker {
  readonly live: boolean
  /** Null while it is not live. */
  readonly session: Session | null
  /** Each flush, and each lost session, leaves all views empty. */
  readonly counts: { readonly flushes: number }
  filled(name: Name, want: Want, view: View): Promise<Filled>
}

export const lookForLiveMs = 20

/** Resolves when it is, or when `isOver`. */
export async function untilLive(tracker: WarmTracker, world: Pick<World, 'after'>, isOver: () => boolean): Promise<void> {
  while (!tracker.live && !isOver()) await pause(world, lookForLiveMs)
}
