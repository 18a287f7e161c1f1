/** Upgrades, places and events for the tests, in words that fit a table. */
import type { Plan, PlanStep } from '../../src/rollout/plan.ts'
import type { Action, Cause, Event, Order, Place, ShiftMode, Upgrade } from '../../src/rollout/upgrade.ts'

export const ordered: Cause = { code: 'ordered', detail: 'for a test', by: 'operator' }

export function planStep(step: Partial<PlanStep>): PlanStep {
  return { is: 'weight', weight: 10, forMs: 1_000, minRequests: 5, manual: false, ...step }
}

/** Header-only, a manual weight, bake. */
export function plan(change: Partial<Plan> = {}): Plan {
  return {
    name: 'careful',
    strategy: 'shift',
    steps: [planStep({ is: 'header-only', weight: 0 }), planStep({ weight: 25, manual: true }), planStep({ is: 'bake', weight: 100 })],
    readyTimeoutMs: 30_000,
    retireAfterMs: 0,
    ...change,
  }
}

export interface Standing {
  readonly plan?: Plan
  readonly ours?: boolean
}

/** What an upgrade begins with. */
export const begun = { id: 'upg-20261124-abcd', from: 'v1', to: 'v2', plan: plan(), ours: true, led: false, oldPid: 4_001 } as const

export function upgradeAt(place: Place, { plan: followed = plan(), ours = true }: Standing = {}): Upgrade {
  const common = {
    ...begun,
    plan: followed,
    ours,
    seq: 7,
    beganAt: 1_000,
    phaseSince: 2_000,
    since: 3_000,
  }
  return { ...common, ...place }
}

export const events: readonly Event[] = [
  { is: 'prechecked' },
  { is: 'precheck-failed', detail: 'd' },
  { is: 'started' },
  { is: 'start-failed', detail: 'd' },
  { is: 'ready' },
  { is: 'not-ready-in-time', detail: 'd' },
  { is: 'warmed' },
  { is: 'held' },
  { is: 'released' },
  { is: 'step-met' },
  ...(['promote', 'pause', 'resume', 'rollback'] as const satisfies readonly Order[]).map(
    (order): Event => ({ is: 'order', order, by: 'operator' }),
  ),
  { is: 'candidate-lost', detail: 'd' },
  { is: 'verdict', asks: 'degrade', forMs: 500, maxDegrades: 2, detail: 'd' },
  { is: 'verdict', asks: 'rollback', detail: 'd' },
  { is: 'restored' },
  { is: 'drained' },
  { is: 'stopped' },
  { is: 'stop-failed', detail: 'd' },
  { is: 'recovered' },
]

/** `ready`, `pause` */
export function eventText(event: Event): string {
  if (event.is === 'verdict') return `v-${event.asks}`
  return event.is === 'order' ? event.order : event.is
}

/** `shift 1 paused`, `stop-old drain frozen`, `rollback stop` */
export function placeText(place: Place): string {
  switch (place.phase) {
    case 'shift':
      return `shift ${place.step}${modeText(place.mode)}`
    case 'stop-old':
      return `stop-old ${place.todo}${place.frozen === null ? '' : ' frozen'}`
    case 'rollback':
      return `rollback ${place.todo}`
    default:
      return place.phase
  }
}

function modeText(mode: ShiftMode): string {
  if (mode.is === 'degraded') return mode.wasPaused ? ' degraded+paused' : ' degraded'
  return mode.is === 'paused' ? ' paused' : ''
}

/** `drain v1`, `await-ready v2`, `await-step 1000 ms 5` */
export function actionText(action: Action): string {
  if (action.do === 'await-restore') return `await-restore ${action.forMs} ms`
  if (action.do === 'await-step') return `await-step ${action.forMs} ms ${action.minRequests}`
  return 'version' in action ? `${action.do} ${action.version}` : action.do
}

/** Every place that a plan of three steps has, whatever the strategy. */
export const places: readonly Place[] = [
  ...(['precheck', 'hold', 'start-new', 'health-check', 'warm', 'release', 'done'] as const).map((phase): Place => ({ phase })),
  ...[0, 1, 2].flatMap((step): readonly Place[] => [
    { phase: 'shift', step, mode: { is: 'running' }, degrades: 0 },
    { phase: 'shift', step, mode: { is: 'paused', by: 'operator' }, degrades: 0 },
    { phase: 'shift', step, mode: { is: 'degraded', forMs: 500, wasPaused: false }, degrades: 1 },
    { phase: 'shift', step, mode: { is: 'degraded', forMs: 500, wasPaused: true }, degrades: 2 },
  ]),
  ...(['drain', 'stop'] as const).flatMap((todo): readonly Place[] => [
    { phase: 'stop-old', todo, frozen: null },
    { phase: 'stop-old', todo, frozen: { code: 'stop-failed', detail: 'it stays', by: 'engine' } },
  ]),
  ...(['restart-old', 'release', 'drain', 'stop'] as const).map((todo): Place => ({ phase: 'rollback', todo, why: ordered })),
  { phase: 'rolled-back', why: ordered },
  { phase: 'failed', why: ordered },
]
