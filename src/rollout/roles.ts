/** Who has which role while an upgrade stands where it stands: what lies over the running snapshot. */
import type { VersionName } from '../routing/route.ts'
import type { PlanStep } from './plan.ts'
import { isOver, type Upgrade } from './upgrade.ts'

export interface UpgradeRoles {
  readonly stable: VersionName
  readonly candidate: VersionName | null
  /** Percent of what would go to the role stable that goes to the candidate. */
  readonly weight: number
  /** Seeds the sticky bucket: one value for the whole of an upgrade, so that nobody moves but by the weight. */
  readonly salt: string
}

/**
 * `stable` is the ledger's, `candidate` the configured one (null if it was retired); both count only while no upgrade is under way.
 * In a rollback there is no candidate: a request that a route sends to the role goes to stable, instead of finding a version that drains.
 */
export function rolesOf(upgrade: Upgrade | null, stable: VersionName, candidate: VersionName | null): UpgradeRoles {
  if (upgrade !== null && !isOver(upgrade)) return { ...overlayOf(upgrade), salt: upgrade.id }
  const other = candidate === stable ? null : candidate
  return { stable, candidate: other, weight: 0, salt: other ?? stable }
}

/** Of an upgrade under way, and of one at the very move that ends it: the `stable` that its record in the ledger has to carry. */
export function stableOf(upgrade: Upgrade): VersionName {
  return isCommitted(upgrade) ? upgrade.to : upgrade.from
}

/** The roles are flipped. A rollback of a committed upgrade flips them back as it leaves `restart-old`. */
export function isCommitted(upgrade: Upgrade): boolean {
  const { phase } = upgrade
  if (phase === 'done') return true
  if (isExclusive(upgrade)) return phase === 'release'
  return phase === 'stop-old' || (phase === 'rollback' && upgrade.todo === 'restart-old')
}

/** Both moves that change these say `route`, and no other does. */
export function isRoutedAlike(a: Upgrade, b: Upgrade): boolean {
  if (isOver(a) || isOver(b)) return isOver(a) && isOver(b)
  const [one, other] = [overlayOf(a), overlayOf(b)]
  return one.stable === other.stable && one.candidate === other.candidate && one.weight === other.weight
}

/** The step that a shift stands in; null of other phases. A plan that lacks it moves nothing by itself. */
export function planStepOf(upgrade: Upgrade): PlanStep | null {
  if (upgrade.phase !== 'shift') return null
  return upgrade.plan.steps[upgrade.step] ?? { is: 'header-only', weight: 0, forMs: 0, minRequests: 0, manual: true }
}

function overlayOf(upgrade: Upgrade): Omit<UpgradeRoles, 'salt'> {
  const hasCandidate = !isCommitted(upgrade) && upgrade.phase !== 'rollback'
  return {
    stable: stableOf(upgrade),
    candidate: hasCandidate ? upgrade.to : null,
    weight: isDegraded(upgrade) ? 0 : (planStepOf(upgrade)?.weight ?? 0),
  }
}

/** Back to header-only for a while. */
function isDegraded(upgrade: Upgrade): boolean {
  return upgrade.phase === 'shift' && upgrade.mode.is === 'degraded'
}

/** The two versions must not serve at once. */
export function isExclusive({ plan }: Upgrade): boolean {
  return plan.strategy === 'exclusive'
}
