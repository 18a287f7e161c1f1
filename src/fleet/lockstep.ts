/**
 * How the goal of a fleet's upgrade moves, and what an instance does about it. Pure: what is seen → what follows.
 *
 * The goal is one of: step 0 → … → the last step → commit, or, from any step, rollback; commit and rollback are its ends. Each move is one
 * compare-and-swap, so that it is made once, whoever tries. It goes on when every instance that lives stands at its step and is content;
 * an instance whose own upgrade has gone back demands a rollback, which is taken until the goal is commit. Each instance walks its own
 * upgrade up to the goal, one step at a time, and never past it.
 *
 * Who comes late (an instance that starts, or that was away) joins, and catches up. One that finds that the fleet has an upgrade after the
 * one that it stands in goes to where that one has ended.
 */
import type { VersionName } from '../routing/route.ts'
import type { InstanceRecord, InstanceUpgrade } from './record.ts'
import { type Goal, lineOf, type SharedUpgrade } from './shared-upgrade.ts'

/** Where an instance stands with its own upgrade. */
export interface Standing {
  /** Under way, or the last one. */
  readonly upgrade: InstanceUpgrade | null
  /** That one is a fleet's. */
  readonly isLed: boolean
  readonly stable: VersionName
  /** Of the configuration that runs here; its revision in etcd is 0 where it is not from there. */
  readonly configRevision: number
  readonly configuredStable: VersionName
  /** The verdict that took it back, with its figures. */
  readonly evidence: unknown
}

export type Deed =
  | { readonly do: 'join' }
  /** The step at which it stands ends. */
  | { readonly do: 'promote'; readonly step: number }
  | { readonly do: 'roll-back' }
  /** The configuration has ordered something else since it ended. */
  | { readonly do: 'supersede' }
  /** It has gone back by itself: so does the fleet. */
  | { readonly do: 'demand'; readonly goal: Extract<Goal, { readonly is: 'rollback' }> }

const over: readonly string[] = ['done', 'rolled-back', 'failed']

export function isOver({ phase }: Pick<InstanceUpgrade, 'phase'>): boolean {
  return over.includes(phase)
}

const wentBack: readonly string[] = ['rollback', 'rolled-back', 'failed']

/** Null: nothing, or not yet. `self` is the instance's name. */
export function deedFor(shared: SharedUpgrade, standing: Standing, self: string): Deed | null {
  const { id, goal, plan } = shared
  const { upgrade } = standing
  if (isOutdated(shared, standing)) return { do: 'supersede' }
  if (upgrade === null || (upgrade.id !== id && isOver(upgrade))) return mayJoin(shared, standing) ? { do: 'join' } : null
  if (upgrade.id !== id) return standing.isLed ? endOfEarlier(upgrade, shared) : null
  switch (goal.is) {
    case 'step':
      return wentBack.includes(upgrade.phase) ? demandOf(upgrade, standing.evidence, self) : promoteUpTo(goal.step, upgrade)
    case 'commit':
      // After commit nothing goes back by itself: that one instance did is for people to see.
      return promoteUpTo(plan.steps.length, upgrade)
    case 'rollback':
      return goBack(upgrade)
  }
}

/** Not before it has the configuration that the upgrade began with: an older one may lack the new version, and that would take all back. */
function mayJoin(shared: SharedUpgrade, { stable, configuredStable, configRevision }: Standing): boolean {
  if (shared.goal.is === 'rollback' || shared.isSuperseded || configRevision < shared.configRevision) return false
  return stable === shared.from && configuredStable === shared.configuredStable
}

/** While an upgrade is under way no instance takes an edit of `stable`. */
function isOutdated({ goal, isSuperseded, configRevision, configuredStable }: SharedUpgrade, standing: Standing): boolean {
  const isEdited = standing.configRevision > configRevision && standing.configuredStable !== configuredStable
  return isEdited && goal.is !== 'step' && !isSuperseded
}

/** Where the fleet's present upgrade began is where the one before it ended. */
function endOfEarlier(earlier: InstanceUpgrade, { from }: SharedUpgrade): Deed | null {
  return earlier.to === from ? promoteUpTo(Number.POSITIVE_INFINITY, earlier) : goBack(earlier)
}

function promoteUpTo(target: number, { phase, step }: InstanceUpgrade): Deed | null {
  return phase === 'shift' && step !== null && step < target ? { do: 'promote', step } : null
}

function goBack(upgrade: InstanceUpgrade): Deed | null {
  return upgrade.phase === 'rollback' || isOver(upgrade) ? null : { do: 'roll-back' }
}

function demandOf({ why, phase }: InstanceUpgrade, evidence: unknown, self: string): Deed {
  return { do: 'demand', goal: { is: 'rollback', by: lineOf(self), why: lineOf(why ?? phase), evidence } }
}

/** Where the goal goes once every instance that lives has done what it asks; null while one has not. */
export function nextGoal({ id, to, goal, plan }: SharedUpgrade, instances: readonly InstanceRecord[]): Goal | null {
  if (goal.is !== 'step' || goal.isPaused || plan.steps[goal.step]?.manual !== false || instances.length === 0) return null
  // One that has the new version as stable already has nothing to walk.
  const isThere = ({ upgrade, roles }: InstanceRecord) =>
    upgrade?.id === id ? upgrade.phase === 'shift' && upgrade.step === goal.step && upgrade.isMet : roles.stable === to
  return instances.every(isThere) ? stepAfter(goal, plan.steps.length) : null
}

/** `promote`: whatever the instances say of the step. */
export function stepAfter(goal: Extract<Goal, { readonly is: 'step' }>, steps: number): Goal {
  return goal.step + 1 < steps ? { ...goal, step: goal.step + 1 } : { is: 'commit' }
}

export type Progress = 'under-way' | 'done' | 'rolled-back' | 'apart'

/** Of the whole: `apart` is that nothing moves any more, and some have not come where the others are. */
export function progressOf(shared: SharedUpgrade, instances: readonly InstanceRecord[]): Progress {
  const { goal } = shared
  if (goal.is === 'step' || instances.some((instance) => isMoving(shared, instance))) return 'under-way'
  if (instances.some((instance) => !isAtEnd(shared, instance))) return 'apart'
  return goal.is === 'commit' ? 'done' : 'rolled-back'
}

/** It stands where the fleet has ended, or ends. */
export function isAtEnd(shared: SharedUpgrade, { upgrade, roles }: InstanceRecord): boolean {
  const hasEnded = upgrade?.id !== shared.id || isOver(upgrade)
  return hasEnded && roles.stable === (shared.goal.is === 'commit' ? shared.to : shared.from)
}

/** It goes on by itself, or joins as soon as it is free. */
function isMoving({ from, goal, id, isSuperseded }: SharedUpgrade, { upgrade, roles }: InstanceRecord): boolean {
  if (upgrade?.id === id) return !isOver(upgrade) && !upgrade.isFrozen
  return goal.is === 'commit' && !isSuperseded && roles.stable === from
}
