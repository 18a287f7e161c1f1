/** What a place asks to be done: it follows from the place alone, so that after a crash it can be asked for again. */
import { isExclusive, planStepOf } from './roles.ts'
import type { Action, In, Upgrade } from './upgrade.ts'

/** At the entry, and again after a crash. */
export function actionsOf(upgrade: Upgrade): readonly Action[] {
  const { from, to, plan } = upgrade
  switch (upgrade.phase) {
    case 'precheck':
    case 'hold':
    case 'release':
      return [{ do: upgrade.phase }]
    case 'start-new':
      return [{ do: 'start', version: to }]
    case 'health-check':
      return [{ do: 'await-ready', version: to, withinMs: plan.readyTimeoutMs }]
    case 'warm':
      return [{ do: 'warm', version: to, from }]
    case 'shift':
      return awaitStep(upgrade)
    case 'stop-old':
      return upgrade.frozen === null ? [{ do: upgrade.todo, version: from }] : []
    case 'rollback':
      return rollbackActions(upgrade)
    case 'failed':
      return [{ do: 'release' }, { do: 'conclude' }]
    case 'done':
    case 'rolled-back':
      return [{ do: 'conclude' }]
  }
}

function awaitStep(upgrade: In<'shift'>): readonly Action[] {
  if (upgrade.mode.is === 'degraded') return [{ do: 'await-restore', forMs: upgrade.mode.forMs }]
  const present = planStepOf(upgrade)
  if (present === null || present.manual || upgrade.mode.is === 'paused') return []
  return [{ do: 'await-step', forMs: present.forMs, minRequests: present.minRequests }]
}

function rollbackActions({ todo, from, to, plan }: In<'rollback'>): readonly Action[] {
  if (todo === 'release') return [{ do: 'release' }]
  if (todo !== 'restart-old') return [{ do: todo, version: to }]
  return [
    { do: 'start', version: from },
    { do: 'undrain', version: from },
    { do: 'await-ready', version: from, withinMs: plan.readyTimeoutMs },
  ]
}

/** What earlier phases have set up and a crash may have undone. */
export function standingOf(upgrade: Upgrade): readonly Action[] {
  switch (upgrade.phase) {
    case 'stop-old':
    case 'start-new':
      return isExclusive(upgrade) ? [{ do: 'hold' }] : []
    case 'health-check':
    case 'warm':
    case 'shift':
      return [...(isExclusive(upgrade) ? [{ do: 'hold' } as const] : []), { do: 'start', version: upgrade.to }]
    case 'rollback':
      return isExclusive(upgrade) && upgrade.todo !== 'release' ? [{ do: 'hold' }] : []
    default:
      return []
  }
}
