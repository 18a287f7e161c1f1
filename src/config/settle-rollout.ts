/** From plans as they are written to plans with every default filled in; and the plans that are always there. */
import { defaultPlan, defaultSteps, readyTimeoutMs, retireAfterMs, stepConditions, stepForMs } from './plan-defaults.ts'
import type { PlanDocument, RolloutDocument, StepDocument } from './schema.ts'
import type { PlanSettings, PlanStepSettings, RolloutSettings } from './settings.ts'
import { settleAnalysis } from './settle-analysis.ts'

const usual = { strategy: 'shift', readyTimeout: readyTimeoutMs, retireAfter: retireAfterMs } as const

/** By name; a plan of the configuration with the same name takes the place of one. */
export const builtInPlans: Readonly<Record<string, PlanDocument>> = {
  [defaultPlan]: usual,
  'at-once': { ...usual, steps: [{ ...spelt('bake'), for: 0 }] },
  manual: { ...usual, steps: defaultSteps.map((step) => ({ ...spelt(step), manual: true })) },
}

export function settleRollout({ plan, plans, analysis }: RolloutDocument): RolloutSettings {
  const all = Object.entries({ ...builtInPlans, ...plans })
  return { plan, plans: Object.fromEntries(all.map(([name, one]) => [name, settlePlan(name, one)])), analysis: settleAnalysis(analysis) }
}

export function settlePlan(name: string, plan: PlanDocument): PlanSettings {
  const { strategy, readyTimeout, retireAfter } = plan
  const steps = strategy === 'exclusive' ? [] : (plan.steps ?? defaultSteps).map(settleStep)
  return { name, strategy, steps, readyTimeoutMs: readyTimeout, retireAfterMs: retireAfter }
}

function settleStep(step: StepDocument): PlanStepSettings {
  const { weight, bake, for: forMs, minRequests, manual } = spelt(step)
  const is = weight !== undefined ? 'weight' : bake ? 'bake' : 'header-only'
  return {
    is,
    weight: weight ?? (bake ? 100 : 0),
    forMs: forMs ?? stepForMs[is],
    minRequests,
    manual,
  }
}

/** The mapping that a word or a bare weight stands for. */
function spelt(step: StepDocument): Exclude<StepDocument, string | number> {
  if (step === 'header-only') return { headerOnly: true, ...stepConditions }
  if (step === 'bake') return { bake: true, ...stepConditions }
  return typeof step === 'number' ? { weight: step, ...stepConditions } : step
}
