/** Sees that the new version of an upgrade is lost: its process ended, or it served and does not for a while. */

import type { VersionName } from '../routing/route.ts'
import type { Timer, World } from '../world.ts'
import { isExclusive } from './roles.ts'
import type { Upgrade } from './upgrade.ts'
import type { VersionControl } from './version-control.ts'

export interface CandidateWatchParts {
  readonly world: World
  readonly versions: Pick<VersionControl, 'exits' | 'isServing' | 'whyNotServing'>
  readonly to: VersionName
  /** Not serving for so long, a version that has served is lost; 0: never. Dynamic configuration, asked for at each look. */
  lostAfterMs(): number
  /** The upgrade under way; null before it is journaled. */
  running(): Upgrade | null
  lost(upgrade: Upgrade, detail: string): void
}

const lookMs = 50

/** Of one upgrade, until the timer is cancelled. */
export function watchCandidate({ world, versions, to, lostAfterMs, running, lost }: CandidateWatchParts): Timer {
  // while it only starts it may end and be started again: what counts is from the last look before it is meant to serve
  let exits = versions.exits(to)
  let notServingSince: number | null = null
  return world.every(lookMs, () => {
    const upgrade = running()
    const before = exits
    exits = versions.exits(to)
    if (upgrade === null || !isMeantToServe(upgrade)) return
    if (versions.isServing(to)) notServingSince = null
    else notServingSince ??= world.elapsed()
    const limitMs = lostAfterMs()
    const isLate = limitMs > 0 && notServingSince !== null && world.elapsed() - notServingSince > limitMs
    if (!isLate && exits <= before) return
    notServingSince = world.elapsed()
    lost(upgrade, versions.whyNotServing(to))
  })
}

function isMeantToServe(upgrade: Upgrade): boolean {
  return upgrade.phase === 'warm' || upgrade.phase === 'shift' || (upgrade.phase === 'stop-old' && !isExclusive(upgrade))
}
