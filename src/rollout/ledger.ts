/** What the journal keeps: the roles and the upgrade, in one record, so that commit is one write. */
import type { VersionName } from '../routing/route.ts'
import type { Upgrade } from './upgrade.ts'

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
