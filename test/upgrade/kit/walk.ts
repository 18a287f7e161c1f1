/** To a place of an upgrade that is walked by hand. */
import type { UpgradeRun } from './upgrade-run.ts'

/** The steps of the built-in plan `manual`, in their order. */
export const manualSteps: readonly string[] = ['header-only', '10', '50', '100', 'bake']

/** From the order on: until the upgrade stands in this step and has served a while in it. */
export async function walkTo(run: UpgradeRun, step: number): Promise<void> {
  await run.reaches('shift')
  for (let at = 0; at < step; at++) await run.order('promote')
  await run.reaches((upgrade) => upgrade.step === step)
  await run.served()
}

/** Of what was sent after `from`, by version. */
export function servedBySince(run: UpgradeRun, from: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { dueAt, outcome } of run.traffic.exchanges) {
    if (dueAt > from && outcome.is === 'ok') counts[outcome.version] = (counts[outcome.version] ?? 0) + 1
  }
  return counts
}
