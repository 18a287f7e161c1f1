/** An upgrade in one line, for people. Pure: the API's answer and the time in, text out. */
import type { Plan, PlanStep } from '../rollout/plan.ts'
import type { Upgrade } from '../rollout/upgrade.ts'
import { age } from './age.ts'
import { hasAll, part } from './answer.ts'

/** An answer of this shape; another one comes from another version of baton. */
export function isUpgrade(answer: unknown): answer is Upgrade {
  return hasAll(answer, ['id', 'from', 'to', 'plan', 'phase', 'seq', 'since'])
}

/** Of the answer to `GET /v1/status`; null if there is none, or it is not understood. */
export function upgradeIn(status: unknown): Upgrade | null {
  const upgrade = part(status, 'upgrade')
  return isUpgrade(upgrade) ? upgrade : null
}

/** `upg-20261124-ab12  v1 → v2  shift, step 2 of 5: 10 %, 12s left` */
export function upgradeLine(upgrade: Upgrade, now: number): string {
  const left = timeLeft(upgrade, now)
  return `${nameOf(upgrade)}  ${placeOf(upgrade)}${left === '' ? '' : `, ${left}`}`
}

export function nameOf({ id, from, to }: Upgrade): string {
  return `${id}  ${from} → ${to}`
}

/** Where it stands: the same text until it moves. */
export function placeOf(upgrade: Upgrade): string {
  switch (upgrade.phase) {
    case 'shift': {
      const mode = upgrade.mode.is === 'running' ? '' : `, ${upgrade.mode.is}`
      return `shift, ${stepText(upgrade.plan, upgrade.step)}${mode}`
    }
    case 'stop-old':
      return upgrade.frozen === null ? `stop-old: ${upgrade.todo}` : `stop-old, frozen: ${upgrade.frozen.detail}`
    case 'rollback':
      return `rollback: ${upgrade.todo} (${upgrade.why.detail})`
    case 'rolled-back':
    case 'failed':
      return `${upgrade.phase}: ${upgrade.why.detail}`
    default:
      return upgrade.phase
  }
}

/** What the present phase waits for; '' where no time is set. */
export function timeLeft(upgrade: Upgrade, now: number): string {
  const left = (ms: number): number => upgrade.since + ms - now
  if (upgrade.phase === 'health-check') return `${age(left(upgrade.plan.readyTimeoutMs))} left to be ready`
  if (upgrade.phase !== 'shift' || upgrade.mode.is === 'paused') return ''
  if (upgrade.mode.is === 'degraded') return `the step again in ${age(left(upgrade.mode.forMs))}`
  const step = upgrade.plan.steps[upgrade.step]
  if (step === undefined) return ''
  if (step.manual) return 'until "baton promote"'
  const rest = left(step.forMs)
  return rest <= 0 && step.minRequests > 0 ? `until ${step.minRequests} requests` : `${age(rest)} left`
}

/** `step 2 of 5: 10 %` */
export function stepText({ steps }: Plan, at: number): string {
  return `step ${at + 1} of ${steps.length}: ${stepName(steps[at])}`
}

function stepName(step: PlanStep | undefined): string {
  if (step === undefined) return '?'
  return step.is === 'weight' ? `${step.weight} %` : step.is
}
