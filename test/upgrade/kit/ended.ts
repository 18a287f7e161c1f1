/** Where an upgrade has to have ended, wherever baton was killed. */
import assert from 'node:assert/strict'
import type { Place } from './places.ts'
import { assertNeverTogether } from './record.ts'
import type { UpgradeRun } from './upgrade-run.ts'

/** One version is left, stable and found again by its pid in `before`, and of the other there was one process, or none. */
export async function assertEnded(
  run: UpgradeRun,
  { plan, ends, withoutV2 }: Place,
  before: ReadonlyMap<string, number | null>,
): Promise<void> {
  const [stays, goes] = ends === 'done' ? ['v2', 'v1'] : ['v1', 'v2']
  const { roles, versions } = await run.status()
  assert.deepEqual(roles, { stable: stays, candidate: null })
  assert.deepEqual(
    versions.map(({ name }) => name),
    [stays],
  )
  const pid = versions[0]?.process?.pid
  assert.equal(pid, before.get(stays) ?? pid, 'it was found again, not started anew')
  assert.equal(run.facts().filter(({ fact, version }) => fact === 'started' && version === goes).length, withoutV2 ? 0 : 1)
  if (plan === 'swap') assertNeverTogether(run.facts())
}
