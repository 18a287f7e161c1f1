/** What the journal keeps: the roles and the upgrade, in one record, so that commit is one write. */
import type { VersionName } from '../routing/route.ts'
import { isOver, type Upgrade } from './upgrade.ts'

export interface Ledger {
  readonly v: 1
  readonly stable: VersionName
  /** The last value of `stable` that the configuration was seen with: only an edit of it is an order. */
  readonly configuredStable: VersionName
  /** Versions that were retired and do not run, though a route may name them. */
  readonly retired: readonly VersionName[]
  /** Drained by an order, and alive. */
  readonly drained: readonly VersionName[]
  /** Alive, drained, to be retired at this time (ms since the epoch) unless a rollback needs it. */
  readonly spare: { readonly version: VersionName; readonly until: number } | null
  /** The one under way, or the last one. */
  readonly upgrade: Upgrade | null
}

/** The upgrade under way; null if there is none. */
export function runningIn({ upgrade }: Pick<Ledger, 'upgrade'>): Upgrade | null {
  return upgrade !== null && !isOver(upgrade) ? upgrade : null
}

type Idle = Pick<Ledger, 'retired' | 'drained' | 'spare'>

/** Something keeps this version from serving. */
export function isIdle({ retired, drained, spare }: Idle, name: VersionName): boolean {
  return retired.includes(name) || drained.includes(name) || spare?.version === name
}

/** Whatever was ordered of this version before, it may run and serve. */
export function servesAgain({ retired, drained, spare }: Idle, name: VersionName): Idle {
  const without = (names: readonly VersionName[]) => names.filter((each) => each !== name)
  return { retired: without(retired), drained: without(drained), spare: spare?.version === name ? null : spare }
}

/** This version is to be stopped for good. */
export function stopsForGood(idle: Idle, name: VersionName): Idle {
  const others = servesAgain(idle, name)
  return { ...others, retired: [...others.retired, name] }
}
