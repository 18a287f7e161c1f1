/**
 * The state machine of an upgrade: what an event makes of it. Pure and total; an event that means nothing where the upgrade stands changes
 * nothing. A move is journaled whole before its actions are done, and the actions follow from the place alone: so whoever reads the journal
 * after a crash (`recovered`) does what the dead one would have done, and twice is as good as once.
 *
 * phase         entered by                     waits for, and goes on to
 * precheck      begin                          prechecked → start-new | hold
 * start-new     prechecked | old stopped       started → health-check
 * health-check  started                        ready → warm | release (commit)
 * warm          ready                          warmed → shift, step 0
 * shift         warmed                         step-met | promote → the next step; after the last: stop-old (commit)
 * hold          prechecked                     held → stop-old
 * stop-old      commit | held                  drained, then stopped → done | start-new
 * release       ready                          released → done
 * rollback      trouble, or an order           → rolled-back | failed
 *
 * Shift. Before commit `from` serves untouched. To go back is one change of route, said in the move that enters `rollback`; what follows is
 * only the tidying of `to`: drained and stopped if this upgrade started it, else left as it was found. If even that fails, the upgrade is
 * rolled back all the same, and its cause says what was left.
 *   Commit is the move shift → stop-old: one record holds the flipped roles and the phase. After it nothing goes back by itself. A drain or
 * stop that fails, or the loss of `to` (the old one is then the only one left), freezes `stop-old`; `resume` tries again. An order
 * `rollback` is taken until `stopped`: todo `restart-old` has `from` started if need be, undrained and ready, while `to` keeps the traffic;
 * `ready` is the commit in the other direction. If it does not come, `stop-old` stands frozen, as before the order.
 *
 * Exclusive. Requests are held from `hold` to `release`, and the two never serve at once: `to` starts when `from` has stopped, and in a
 * rollback `from` starts when `to` has. Commit is the move health-check → release. Whatever fails before it goes back: stop `to` if it was
 * started, restart-old if `from` was touched, release, rolled-back. Where `from` does not come back, or `to` cannot be stopped, it is
 * `failed`, and what was held is let go to be refused. `stop-old` never freezes here, for requests are waiting; after commit there is no way
 * back but another upgrade, since the old one is stopped.
 *
 * Analysis. A verdict that asks to degrade sends the candidate back to header-only for its time, then the same step begins anew; past the
 * policy's number of times, or where it asks for a rollback, the upgrade goes back. While it is degraded, no traffic by weight is no verdict.
 *
 * Orders. `promote` ends a step, whatever its time and counts say; a paused plan takes that one step and stays paused, so that it can be
 * walked by hand. `resume` begins the step anew: what a pause saw counts for nothing. Each said twice happens once; of `promote` that holds
 * where it says which step it means: one that is over cannot be ended again.
 */
import type { VersionName } from '../routing/route.ts'
import { actionsOf, standingOf } from './actions.ts'
import { isExclusive, isRoutedAlike, planStepOf } from './roles.ts'
import type { Action, Cause, Event, In, Move, Phase, Place, ShiftMode, Upgrade } from './upgrade.ts'

/** What an upgrade is from its begin to its end. */
type Begun = Pick<Upgrade, 'id' | 'from' | 'to' | 'plan' | 'ours' | 'led' | 'oldPid'>

/** What can be the reason of a rollback or of standing still. */
type Trouble = Extract<Event, { readonly detail: string } | { readonly is: 'order' }>

export function begin(begun: Begun, now: number): Move {
  const next: Upgrade = { ...begun, seq: 1, beganAt: now, phaseSince: now, since: now, phase: 'precheck' }
  return { next, actions: [{ do: 'route' }, ...actionsOf(next)] }
}

export function step(upgrade: Upgrade, event: Event, now: number): Move {
  if (event.is === 'recovered') return { next: upgrade, actions: [{ do: 'route' }, ...standingOf(upgrade), ...actionsOf(upgrade)] }
  const place = placeAfter(upgrade, event)
  return place === null ? { next: upgrade, actions: [] } : enter(upgrade, place, now)
}

function enter(upgrade: Upgrade, place: Place, now: number): Move {
  const { id, from, to, plan, ours, led, oldPid, beganAt } = upgrade
  const phaseSince = place.phase === upgrade.phase ? upgrade.phaseSince : now
  const next: Upgrade = { id, from, to, plan, ours, led, oldPid, beganAt, seq: upgrade.seq + 1, phaseSince, since: now, ...place }
  const route: readonly Action[] = isRoutedAlike(upgrade, next) ? [] : [{ do: 'route' }]
  return { next, actions: [...route, ...actionsOf(next)] }
}

/** Null: nothing changes. */
function placeAfter(upgrade: Upgrade, event: Event): Place | null {
  switch (upgrade.phase) {
    case 'precheck':
    case 'hold':
    case 'start-new':
    case 'health-check':
    case 'warm':
      return event.is === awaited[upgrade.phase] ? onward(upgrade) : backOn(upgrade, event)
    case 'shift':
      return afterShift(upgrade, event)
    case 'stop-old':
      return isExclusive(upgrade) ? afterEmptying(upgrade, event) : afterStopOld(upgrade, event)
    case 'release':
      return event.is === 'released' ? { phase: 'done' } : null
    case 'rollback':
      return isExclusive(upgrade) ? afterReturn(upgrade, event) : afterRollback(upgrade, event)
    case 'done':
    case 'rolled-back':
    case 'failed':
      return null
  }
}

const awaited = {
  precheck: 'prechecked',
  hold: 'held',
  'start-new': 'started',
  'health-check': 'ready',
  warm: 'warmed',
} as const satisfies Partial<Record<Phase, Event['is']>>

/** Before commit: what sends an upgrade back from there, besides the order. */
const troubles: Readonly<Partial<Record<Phase, readonly Event['is'][]>>> = {
  precheck: ['precheck-failed'],
  'stop-old': ['stop-failed'],
  'start-new': ['start-failed', 'candidate-lost'],
  'health-check': ['start-failed', 'not-ready-in-time', 'candidate-lost'],
  warm: ['warm-failed', 'candidate-lost'],
  shift: ['candidate-lost', 'verdict'],
}

function onward(upgrade: Upgrade): Place | null {
  switch (upgrade.phase) {
    case 'precheck':
      return { phase: isExclusive(upgrade) ? 'hold' : 'start-new' }
    case 'hold':
      return { phase: 'stop-old', todo: 'drain', frozen: null }
    case 'start-new':
      return { phase: 'health-check' }
    case 'health-check':
      return { phase: isExclusive(upgrade) ? 'release' : 'warm' }
    case 'warm':
      return { phase: 'shift', step: 0, mode: { is: 'running' }, degrades: 0 }
    default:
      return null
  }
}

function afterShift(upgrade: In<'shift'>, event: Event): Place | null {
  const { mode } = upgrade
  if (event.is === 'verdict') return afterVerdict(upgrade, event)
  if (event.is === 'restored') return mode.is === 'degraded' ? { ...shiftOf(upgrade), mode: modeBefore(mode) } : null
  if (event.is === 'step-met') return mode.is === 'running' && planStepOf(upgrade)?.manual === false ? nextStep(upgrade) : null
  if (event.is !== 'order' || event.order === 'rollback') return backOn(upgrade, event)
  switch (event.order) {
    case 'promote':
      return (event.step ?? upgrade.step) === upgrade.step ? nextStep(upgrade) : null
    case 'pause':
      if (mode.is === 'degraded') return mode.wasPaused ? null : { ...shiftOf(upgrade), mode: { ...mode, wasPaused: true } }
      return mode.is === 'running' ? { ...shiftOf(upgrade), mode: { is: 'paused', by: event.by } } : null
    case 'resume':
      if (mode.is === 'degraded') return mode.wasPaused ? { ...shiftOf(upgrade), mode: { ...mode, wasPaused: false } } : null
      return mode.is === 'paused' ? { ...shiftOf(upgrade), mode: { is: 'running' } } : null
  }
}

/** A candidate that is degraded already gets no traffic by weight, so only a rollback is left to ask for. */
function afterVerdict(upgrade: In<'shift'>, event: Extract<Event, { readonly is: 'verdict' }>): Place | null {
  const { mode, degrades } = upgrade
  if (event.asks === 'rollback') return backOn(upgrade, event)
  if (mode.is === 'degraded') return null
  if (degrades >= event.maxDegrades) return backOn(upgrade, event)
  const degraded = { is: 'degraded', forMs: event.forMs, wasPaused: mode.is === 'paused' } as const
  return { ...shiftOf(upgrade), mode: degraded, degrades: degrades + 1 }
}

function modeBefore({ wasPaused }: Extract<ShiftMode, { readonly is: 'degraded' }>): ShiftMode {
  return wasPaused ? { is: 'paused', by: 'engine' } : { is: 'running' }
}

function shiftOf({ step: present, mode, degrades }: In<'shift'>): Extract<Place, { readonly phase: 'shift' }> {
  return { phase: 'shift', step: present, mode, degrades }
}

/** After the last step: commit. */
function nextStep(upgrade: In<'shift'>): Place {
  const following = upgrade.step + 1
  const mode = upgrade.mode.is === 'degraded' ? modeBefore(upgrade.mode) : upgrade.mode
  return following < upgrade.plan.steps.length
    ? { ...shiftOf(upgrade), step: following, mode }
    : { phase: 'stop-old', todo: 'drain', frozen: null }
}

/** Shift: the roles are flipped, and the old one is idle or about to be. */
function afterStopOld(upgrade: In<'stop-old'>, event: Event): Place | null {
  const { todo, frozen } = upgrade
  // A stop under way when it froze may end all the same; a drain that ends waits for `resume`, which asks again and is answered at once.
  if (todo === 'stop' && event.is === 'stopped') return { phase: 'done' }
  if (event.is === 'order' && event.order === 'rollback') return { phase: 'rollback', todo: 'restart-old', why: causeOf(event) }
  if (frozen !== null) return event.is === 'order' && event.order === 'resume' ? { phase: 'stop-old', todo, frozen: null } : null
  if (todo === 'drain' && event.is === 'drained') return { phase: 'stop-old', todo: 'stop', frozen: null }
  if (event.is === 'candidate-lost') return { phase: 'stop-old', todo, frozen: causeOf(event) }
  if (event.is === 'stop-failed')
    return { phase: 'stop-old', todo, frozen: { ...causeOf(event), code: todo === 'drain' ? 'drain-failed' : 'stop-failed' } }
  return null
}

/** Exclusive: before commit, with requests held. */
function afterEmptying(upgrade: In<'stop-old'>, event: Event): Place | null {
  if (upgrade.todo === 'drain' && event.is === 'drained') return { phase: 'stop-old', todo: 'stop', frozen: null }
  if (upgrade.todo === 'stop' && event.is === 'stopped') return { phase: 'start-new' }
  return backOn(upgrade, event)
}

function afterRollback(upgrade: In<'rollback'>, event: Event): Place | null {
  const { todo, why, ours, from, to } = upgrade
  switch (todo) {
    case 'restart-old':
      if (event.is === 'ready') return ours ? { phase: 'rollback', todo: 'drain', why } : { phase: 'rolled-back', why }
      return isLost(event) ? { phase: 'stop-old', todo: 'drain', frozen: oldLost(from, event.detail, why) } : null
    case 'drain':
    case 'stop':
      if (event.is === 'stop-failed') return { phase: 'rolled-back', why: withDetail(why, `${to} is left alive: ${event.detail}`) }
      if (todo === 'drain') return event.is === 'drained' ? { phase: 'rollback', todo: 'stop', why } : null
      return event.is === 'stopped' ? { phase: 'rolled-back', why } : null
    case 'release':
      return null
  }
}

/** Exclusive: the old one has to come back before what is held can be let go. */
function afterReturn(upgrade: In<'rollback'>, event: Event): Place | null {
  const { todo, why, from, to } = upgrade
  switch (todo) {
    case 'stop':
      if (event.is === 'stopped') return { phase: 'rollback', todo: 'restart-old', why }
      return event.is === 'stop-failed' ? { phase: 'failed', why: oldLost(from, `${to} does not stop: ${event.detail}`, why) } : null
    case 'restart-old':
      if (event.is === 'ready') return { phase: 'rollback', todo: 'release', why }
      return isLost(event) ? { phase: 'failed', why: oldLost(from, event.detail, why) } : null
    case 'release':
      return event.is === 'released' ? { phase: 'rolled-back', why } : null
    case 'drain':
      return null
  }
}

/** To where an upgrade goes back from a phase before commit, if the event is a reason to. */
function backOn(upgrade: Upgrade, event: Event): Place | null {
  const trouble = troubleOf(upgrade, event)
  if (trouble === null) return null
  const why = causeOf(trouble)
  if (upgrade.phase === 'precheck') return { phase: 'rolled-back', why }
  if (!isExclusive(upgrade)) return upgrade.ours ? { phase: 'rollback', todo: 'drain', why } : { phase: 'rolled-back', why }
  if (upgrade.phase === 'hold') return { phase: 'rollback', todo: 'release', why }
  return { phase: 'rollback', todo: upgrade.phase === 'stop-old' || !upgrade.ours ? 'restart-old' : 'stop', why }
}

function troubleOf({ phase }: Upgrade, event: Event): Trouble | null {
  if (event.is === 'order') return event.order === 'rollback' ? event : null
  return 'detail' in event && troubles[phase]?.includes(event.is) === true ? event : null
}

function causeOf(event: Trouble): Cause {
  if (event.is === 'order') return { code: 'ordered', detail: `ordered by the ${event.by}`, by: event.by }
  return { code: event.is, detail: event.detail, by: 'engine' }
}

function oldLost(from: VersionName, detail: string, why: Cause): Cause {
  return { code: 'old-lost', detail: `${from} does not come back: ${detail}; this was to roll back: ${why.detail}`, by: 'engine' }
}

function withDetail(why: Cause, more: string): Cause {
  return { ...why, detail: `${why.detail}; ${more}` }
}

function isLost(event: Event): event is Extract<Event, { readonly is: 'not-ready-in-time' | 'start-failed' }> {
  return event.is === 'not-ready-in-time' || event.is === 'start-failed'
}
