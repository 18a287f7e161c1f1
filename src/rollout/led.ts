/** This instance's upgrade as a fleet moves it: its steps end by an order alone, and every instance gets the same one. */
import type { VersionName } from '../routing/route.ts'
import type { Conductor } from './conductor.ts'
import type { LedgerKeeper } from './ledger-keeper.ts'
import { rolesOf } from './roles.ts'
import { isOver, type Upgrade } from './upgrade.ts'

export type Led = ReturnType<typeof ledBy>

export function ledBy(conductor: Conductor, keeper: LedgerKeeper) {
  return {
    standing() {
      const { upgrade, stable, configuredStable } = keeper.ledger
      const whereabouts = upgrade === null ? null : whereaboutsOf(upgrade, stable, conductor.stepMet)
      const isJudged = upgrade !== null && 'why' in upgrade && upgrade.why.code === 'verdict'
      const evidence = isJudged ? conductor.verdict : null
      return { upgrade: whereabouts, stable, configuredStable, isLed: upgrade?.led === true, evidence }
    },
    join: ({ id, to, plan }: Pick<Upgrade, 'id' | 'to' | 'plan'>) =>
      conductor.join(id, to, { ...plan, steps: plan.steps.map((step) => ({ ...step, manual: true })) }),
    promote: (step: number) => conductor.promote(step, 'fleet'),
    rollBack: () => conductor.order('rollback', 'fleet'),
  }
}

/** Where an upgrade stands, for those who see it from afar: the record that an instance shares says what each part is. */
function whereaboutsOf(upgrade: Upgrade, stable: VersionName, isMet: boolean) {
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
