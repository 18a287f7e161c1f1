/** This instance's upgrade as a fleet moves it: its steps end by an order alone, and every instance gets the same one. */
import type { VersionName } from '../routing/route.ts'
import type { Conductor } from './conductor.ts'
import type { LedgerKeeper } from './ledger-keeper.ts'
import type { OrderOutcome } from './order-outcome.ts'
import type { Plan } from './plan.ts'
import { rolesOf } from './roles.ts'
import { isOver, type Upgrade } from './upgrade.ts'
import type { Verdict } from './verdict.ts'

/** Where an upgrade stands, for those who see it from afar. */
export interface Whereabouts {
  readonly id: string
  readonly to: VersionName
  readonly phase: string
  readonly step: number | null
  readonly weight: number
  readonly isMet: boolean
  readonly isFrozen: boolean
  readonly why: string | null
}

export interface Led {
  standing(): {
    readonly upgrade: Whereabouts | null
    readonly stable: VersionName
    readonly configuredStable: VersionName
    /** The upgrade is a fleet's. */
    readonly isLed: boolean
    /** The verdict that took it back. */
    readonly evidence: Verdict | null
  }
  join(upgrade: { readonly id: string; readonly to: VersionName; readonly plan: Plan }): Promise<OrderOutcome>
  promote(step: number): Promise<OrderOutcome>
  rollBack(): Promise<OrderOutcome>
}

export function ledBy(conductor: Conductor, keeper: LedgerKeeper): Led {
  return {
    standing() {
      const { upgrade, stable, configuredStable } = keeper.ledger
      const whereabouts = upgrade === null ? null : whereaboutsOf(upgrade, stable, conductor.stepMet)
      const isJudged = upgrade !== null && 'why' in upgrade && upgrade.why.code === 'verdict'
      const evidence = isJudged ? conductor.verdict : null
      return { upgrade: whereabouts, stable, configuredStable, isLed: upgrade?.led === true, evidence }
    },
    join: ({ id, to, plan }) => conductor.join(id, to, { ...plan, steps: plan.steps.map((step) => ({ ...step, manual: true })) }),
    promote: (step) => conductor.promote(step, 'fleet'),
    rollBack: () => conductor.order('rollback', 'fleet'),
  }
}

function whereaboutsOf(upgrade: Upgrade, stable: VersionName, isMet: boolean): Whereabouts {
  const { id, to, phase } = upgrade
  const frozen = upgrade.phase === 'stop-old' ? upgrade.frozen : null
  const why = 'why' in upgrade ? upgrade.why.detail : (frozen?.detail ?? null)
  return {
    id,
    to,
    phase,
    step: upgrade.phase === 'shift' ? upgrade.step : null,
    weight: isOver(upgrade) ? 0 : rolesOf(upgrade, stable, null).weight,
    isMet,
    isFrozen: frozen !== null,
    why,
  }
}
