/** How the goal of a fleet's upgrade moves, and what an instance does about it. Pure: what is seen → what follows. */
import type { VersionName } from '../routing/route.ts'
import type { InstanceRecord, InstanceUpgrade } from './record.ts'
import type { Goal, SharedUpgrade } from './shared-upgrade.ts'

/** Where an instance stands with its own upgrade. */
export interface Standing {
  /** Under way, or the last one. */
  readonly upgrade: InstanceUpgrade | null
  readonly stable: VersionName
  /** Of the configuration that runs here. */
  readonly configuredStable: VersionName
  /** What its last verdict was made from. */
  readonly evidence: unknown
}

export type Deed =
  | { readonly do: 'join' }
  /** The step at which it stands ends. */
  | { readonly do: 'promote'; readonly step: number }
  | { readonly do: 'roll-back' }
  /** It has gone back by itself: so does the fleet. */
  | { readonly do: 'demand'; readonly goal: Extract<Goal, { readonly is: 'rollback' }> }

const over: readonly string[] = ['done', 'rolled-back', 'failed']
const wentBack: readonly string[] = ['rollback', 'rolled-back', 'failed']

/** Null: nothing, or not yet. `self` is the instance's name. */
export function deedFor({ id, from, goal, plan, configuredStable }: SharedUpgrade, standing: Standing, self: string): Deed | null {
  const { upgrade } = standing
  if (upgrade?.id !== id) {
    const isFree = upgrade === null || over.includes(upgrade.phase)
    const isOurs = standing.stable === from && standing.configuredStable === configuredStable
    return isFree && isOurs && goal.is !== 'rollback' ? { do: 'join' } : null
  }
  if (goal.is === 'rollback') return wentBack.includes(upgrade.phase) || upgrade.phase === 'done' ? null : { do: 'roll-back' }
  if (wentBack.includes(upgrade.phase)) {
    // After commit nothing goes back by itself: that one instance did is for people to see.
    if (goal.is === 'commit') return null
    return { do: 'demand', goal: { is: 'rollback', by: self, why: upgrade.why ?? upgrade.phase, evidence: standing.evidence } }
  }
  if (upgrade.phase !== 'shift' || upgrade.step === null) return null
  const target = goal.is === 'commit' ? plan.steps.length : goal.step
  return upgrade.step < target ? { do: 'promote', step: upgrade.step } : null
}

/** Where the goal goes once every instance that lives has done what it asks; null while one has not. */
export function nextGoal({ id, goal, plan }: SharedUpgrade, instances: readonly InstanceRecord[]): Goal | null {
  if (goal.is !== 'step' || goal.isPaused || plan.steps[goal.step]?.manual !== false || instances.length === 0) return null
  const isThere = ({ upgrade }: InstanceRecord) =>
    upgrade?.id === id && upgrade.phase === 'shift' && upgrade.step === goal.step && upgrade.isMet
  return instances.every(isThere) ? stepAfter(goal, plan.steps.length) : null
}

/** `promote`: whatever the instances say of the step. */
export function stepAfter(goal: Extract<Goal, { readonly is: 'step' }>, steps: number): Goal {
  return goal.step + 1 < steps ? { ...goal, step: goal.step + 1 } : { is: 'commit' }
}

export type Progress = 'under-way' | 'done' | 'rolled-back' | 'apart'

/** Of the whole: `apart` is that nothing moves any more, and some have not come where the others are. */
export function progressOf({ id, to, goal }: SharedUpgrade, instances: readonly InstanceRecord[]): Progress {
  const own = instances.map(({ upgrade, roles }) => ({
    phase: upgrade?.id === id ? upgrade.phase : null,
    stable: roles.stable,
    frozen: upgrade?.isFrozen,
  }))
  if (goal.is === 'step') return 'under-way'
  if (goal.is === 'rollback') return own.every(({ phase }) => phase === null || over.includes(phase)) ? 'rolled-back' : 'under-way'
  if (own.every(({ phase, stable }) => stable === to && (phase === null || phase === 'done'))) return 'done'
  const isStuck = ({ phase, frozen }: (typeof own)[number]) => frozen === true || (phase !== null && wentBack.includes(phase))
  const isDone = ({ phase, stable }: (typeof own)[number]) => stable === to && (phase === null || phase === 'done')
  return own.every((one) => isDone(one) || isStuck(one)) ? 'apart' : 'under-way'
}
