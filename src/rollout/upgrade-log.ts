/** What the log and the metrics say of an upgrade that moves. */
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { World } from '../world.ts'
import type { Pid, Upgrade } from './upgrade.ts'

interface Told {
  readonly log: Log
  readonly metrics: Metrics
  readonly world: Pick<World, 'now'>
}

/** What every line of an upgrade carries. */
export function fieldsOf(upgrade: Upgrade, newPid: Pid | null): Record<string, unknown> {
  const { id, from, to, phase, oldPid } = upgrade
  const place =
    'step' in upgrade ? { step: upgrade.step, weight: upgrade.plan.steps[upgrade.step]?.weight ?? 0, mode: upgrade.mode.is } : {}
  const todo = 'todo' in upgrade ? { todo: upgrade.todo } : {}
  const why = 'why' in upgrade ? { why: upgrade.why.code, detail: upgrade.why.detail } : {}
  return { upgrade_id: id, phase, from, to, old_pid: oldPid, new_pid: newPid, ...place, ...todo, ...why }
}

export function tellMove(told: Told, before: Upgrade | null, next: Upgrade, newPid: Pid | null): void {
  if (before?.id === next.id && before.phase !== next.phase) tellEnd(told, before, next, newPid)
  const isNewPhase = before?.id !== next.id || before.phase !== next.phase
  told.log.info(isNewPhase ? 'upgrade.phase' : 'upgrade.moved', fieldsOf(next, newPid))
}

function tellEnd({ log, metrics, world }: Told, before: Upgrade, next: Upgrade, newPid: Pid | null): void {
  const durationMs = world.now() - before.phaseSince
  const wentBack = next.phase === 'rollback' || next.phase === 'rolled-back' || next.phase === 'failed'
  metrics.stage(before.phase, durationMs / 1000)
  log.info('upgrade.phase_ended', { ...fieldsOf(before, newPid), result: wentBack ? next.phase : 'ok', duration_ms: durationMs })
}
