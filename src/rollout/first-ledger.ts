/** The ledger that a generation begins with: the journal's, held against a configuration that may have changed meanwhile. */
import type { VersionName } from '../routing/route.ts'
import { type Ledger, runningIn } from './ledger.ts'
import { orderIn } from './overlay.ts'

export interface FirstLedger {
  readonly ledger: Ledger
  /** What a person should know; null if nothing is odd. */
  readonly warning: string | null
}

interface Configured {
  readonly stable: VersionName
  readonly versions: Readonly<Record<VersionName, unknown>>
}

export function firstLedger(journaled: Ledger | null, { stable, versions }: Configured): FirstLedger {
  if (journaled === null) return { ledger: fresh(stable), warning: null }
  const upgrade = runningIn(journaled)
  const isThere = (name: VersionName) => Object.hasOwn(versions, name)
  const needed = upgrade === null ? [] : [upgrade.from, upgrade.to]
  const missing = [journaled.stable, ...needed].find((name) => !isThere(name))
  if (missing !== undefined) {
    return {
      ledger: fresh(stable),
      warning: `the journal needs ${missing}, which is not configured any more; roles begin anew with stable ${stable}`,
    }
  }
  const { spare } = journaled
  const kept = {
    ...journaled,
    retired: journaled.retired.filter(isThere),
    drained: journaled.drained.filter(isThere),
    spare: spare !== null && isThere(spare.version) ? spare : null,
  }
  if (stable === journaled.configuredStable) return { ledger: kept, warning: null }
  if (needed.length > 0) {
    const warning = `stable was edited to ${stable} while upgrade ${upgrade?.id} was under way; the upgrade goes on, the edit counts for nothing`
    return { ledger: { ...kept, configuredStable: stable }, warning }
  }
  return { ledger: { ...kept, ...orderIn(kept, { stable }) }, warning: `stable was edited to ${stable} while baton was down` }
}

function fresh(stable: VersionName): Ledger {
  return { v: 1, stable, configuredStable: stable, retired: [], drained: [], spare: null, upgrade: null }
}
