/** What is kept of upgrades: the ledger, which decides, and for each upgrade its moves, which tell. */
import type { VersionName } from '../routing/route.ts'
import type { Evidence } from './evidence.ts'
import type { Ledger } from './ledger.ts'
import type { Cause, Phase, Upgrade, UpgradeId } from './upgrade.ts'

/** One move, as it was made. */
export interface JournalEntry {
  /** ms since the epoch */
  readonly at: number
  readonly seq: number
  readonly phase: Phase
  /** What made the upgrade move: an event's name, or an order's. */
  readonly event: string
  /** As the move left it. */
  readonly upgrade: Upgrade
  /** Exchanges that each version has ended since baton started. */
  readonly requests: Readonly<Record<VersionName, number>>
  /** Of a verdict that changed: what it was made from. */
  readonly evidence: Evidence | null
}

export interface UpgradeSummary {
  readonly id: UpgradeId
  readonly from: VersionName
  readonly to: VersionName
  /** The plan's name. */
  readonly plan: string
  /** Where it stood at its last move: one of the ends, but for the upgrade under way. */
  readonly phase: Phase
  readonly why: Cause | null
  /** ms since the epoch */
  readonly beganAt: number
  /** Of its last move, ms since the epoch. */
  readonly at: number
}

export interface Journal {
  /** The ledger that was written last; null before the first. */
  read(): Ledger | null
  /** Resolves when it is durable; writes happen in the order of the calls. Rejects with the system's error: then the former one stands. */
  write(ledger: Ledger): Promise<void>
  /** Resolves when it is durable. */
  append(id: UpgradeId, entry: JournalEntry): Promise<void>
  /** Newest first; bounded. */
  history(): Promise<readonly UpgradeSummary[]>
  /** In the order in which they were appended; none of an upgrade that is not known (any more). */
  entries(id: string): Promise<readonly JournalEntry[]>
}

/** Of an upgrade's entries; null if there is none. */
export function summaryOf(entries: readonly JournalEntry[]): UpgradeSummary | null {
  const last = entries.at(-1)
  if (last === undefined) return null
  const { upgrade, at, phase } = last
  const { id, from, to, plan, beganAt } = upgrade
  return { id, from, to, plan: plan.name, phase, why: 'why' in upgrade ? upgrade.why : null, beganAt, at }
}
