/** Rules over the steps of a plan, and of which plan is taken. */
import { type Complaint, complain, type Path } from './complaint.ts'
import type { PlanSettings, PlanStepSettings } from './settings.ts'

/** A null is a plan with a fault of its own. */
export type Plans = ReadonlyMap<string, PlanSettings | null>

export function planComplaints(plans: Plans): Complaint[] {
  return [...plans].flatMap(([name, plan]) =>
    plan?.strategy === 'shift' ? stepComplaints(['rollout', 'plans', name, 'steps'], plan.steps) : [],
  )
}

/** Of steps that were not read from a configuration. */
export function areOrderly(steps: readonly PlanStepSettings[]): boolean {
  return stepComplaints([], steps).length === 0
}

/** A share that shrank would move users back, and one that stays the same is one longer step. */
function stepComplaints(path: Path, steps: readonly PlanStepSettings[]): Complaint[] {
  const last = steps.length - 1
  return steps.flatMap((step, index) => {
    const place = [...path, index]
    if (index === last && step.is !== 'bake')
      return [
        complain(
          place,
          wordsOf(step),
          'bake as the last step',
          'all traffic on the new version, the old one warm; for: 0s waits for nothing',
        ),
      ]
    if (index < last && step.is === 'bake') return [complain(place, 'bake', 'another step than bake', 'bake is the last step')]
    const before = steps[index - 1]
    if (before === undefined || step.is === 'bake' || step.weight > before.weight) return []
    const expected = step.is === 'header-only' ? 'header-only as the first step' : `a weight above ${before.weight}`
    return [complain(place, wordsOf(step), expected, `steps[${index - 1}] is ${wordsOf(before)}`)]
  })
}

function wordsOf(step: PlanStepSettings): string {
  return step.is === 'weight' ? String(step.weight) : step.is
}
