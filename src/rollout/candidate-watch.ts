/** Sees that the new version of an upgrade is lost: its process ended, or it served and does not for a while. */
import type { Timer, World } from '../world.ts'
import { isExclusive } from './roles.ts'
import type { Upgrade } from './upgrade.ts'
import type { VersionControl } from './version-control.ts'

export interface CandidateWatchParts {
  readonly world: World
  readonly versions: Pick<VersionControl, 'exits' | 'isServing' | 'whyNotServing'>
  /** The upgrade under way; null before it is journaled. */
  running(): Upgrade | null
  lost(upgrade: Upgrade, detail: string): void
}

const lookMs = 50
/** Not serving for this long, a version that has served is lost. */
const lostAfterMs = 10_000

/** Of one upgrade, until the timer is cancelled. */
export function watchCandidate({ world, versions, running, lost }: CandidateWatchParts): Timer {
  let exits: number | null = null
  let notServingSince: number | null = null
  return world.every(lookMs, () => {
    const upgrade = running()
    if (upgrade === null || !isMeantToServe(upgrade)) return
    exits ??= versions.exits(upgrade.to)
    if (versions.isServing(upgrade.to)) notServingSince = null
    else notServingSince ??= world.elapsed()
    const isLate = notServingSince !== null && world.elapsed() - notServingSince > lostAfterMs
    if (!isLate && versions.exits(upgrade.to) === exits) return
    exits = versions.exits(upgrade.to)
    notServingSince = world.elapsed()
    lost(upgrade, versions.whyNotServing(upgrade.to))
  })
}

function isMeantToServe(upgrade: Upgrade): boolean {
  return upgrade.phase === 'warm' || upgrade.phase === 'shift' || (upgrade.phase === 'stop-old' && !isExclusive(upgrade))
}
