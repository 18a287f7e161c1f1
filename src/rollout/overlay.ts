/** What lies over a configuration: roles, wishes, and what may not change now. Pure. */
import type { Dynamic } from '../config/settings.ts'
import type { Roles } from '../routing/route.ts'
import type { Wishes } from '../upstream/versions.ts'
import { type Ledger, runningIn, servesAgain } from './ledger.ts'
import { isExclusive, rolesOf } from './roles.ts'
import type { Upgrade } from './upgrade.ts'

type Configured = Pick<Dynamic, 'stable' | 'candidate' | 'versions'>

/** The ledger owns the roles. An edited `stable` is an order that moves them at once; an unchanged one orders nothing. */
export function rolesFor(ledger: Ledger, dynamic: Configured): Roles {
  const { configuredStable, retired } = ledger
  const stable = dynamic.stable === configuredStable ? ledger.stable : dynamic.stable
  const candidate = dynamic.candidate !== null && !retired.includes(dynamic.candidate) ? dynamic.candidate : null
  return rolesOf(runningIn(ledger), stable, candidate)
}

/** Kept are the upgrade's two, a warm spare, and what was drained by an order. */
export function wishesFor(ledger: Ledger, dynamic: Configured): Wishes {
  const { spare, drained, retired } = { ...ledger, ...orderIn(ledger, dynamic) }
  const running = runningIn(ledger)
  const { stable, candidate } = rolesFor(ledger, dynamic)
  const waits = running !== null && startsLater(running)
  const moved = running === null ? [] : waits ? [running.from] : [running.from, running.to]
  const idle = [...drained, ...(spare === null ? [] : [spare.version])]
  const kept = [...moved, ...idle].filter((name) => !retired.includes(name))
  return { stable, candidate: waits ? null : candidate, kept, retired, drained: idle }
}

/** Why a configuration cannot be taken now, or null. */
export function vetoFor(ledger: Ledger, next: Configured): { readonly path: string; readonly reason: string } | null {
  const running = runningIn(ledger)
  if (running === null) {
    const { stable, configuredStable } = ledger
    if (next.stable !== configuredStable || Object.hasOwn(next.versions, stable)) return null
    return { path: 'versions', reason: `${stable} is stable and cannot be taken away; set stable to another version first` }
  }
  if (next.stable !== ledger.configuredStable) return { path: 'stable', reason: `upgrade ${running.id} is under way` }
  const missing = [running.from, running.to].find((name) => !Object.hasOwn(next.versions, name))
  return missing === undefined ? null : { path: 'versions', reason: `upgrade ${running.id} needs ${missing}` }
}

/** What a configuration that was swapped in makes of the ledger; null if it orders nothing. */
export function orderIn(ledger: Ledger, { stable }: Pick<Configured, 'stable'>): Partial<Ledger> | null {
  return stable === ledger.configuredStable ? null : { stable, configuredStable: stable, ...servesAgain(ledger, stable) }
}

/** Exclusive: the new one may not run before the old one has stopped. */
function startsLater(upgrade: Upgrade): boolean {
  if (!isExclusive(upgrade)) return false
  return upgrade.phase === 'precheck' || upgrade.phase === 'hold' || upgrade.phase === 'stop-old' || upgrade.phase === 'rollback'
}
