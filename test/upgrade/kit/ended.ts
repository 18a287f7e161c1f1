/** Where an upgrade has to have ended, wherever baton was killed. */
import assert from 'node:assert/strict'
import type { Place } from './places.ts'
import { assertNeverTogether } from './record.ts'
import type { UpgradeRun } from './upgrade-run.ts'

/** Of two versions one is left, stable; those of an exclusive upgrade have never been there together. */
export async function assertOneLeft(run: UpgradeRun, { plan }: Place, ends: Place['ends']): Promise<void> {
  const stays = ends === 'done' ? 'v2' : 'v1'
  const { roles, versions } = await run.status()
  assert.deepEqual(roles, { stable: stays, candidate: null })
  assert.deepEqual(
    versions.map(({ name }) => name),
    [stays],
  )
  if (plan === 'swap') assertNeverTogether(run.facts())
}

/** It was found again by its pid in `before`, and of the other there was one process, or none: nothing was started twice. */
export async function assertEnded(run: UpgradeRun, place: Place, before: ReadonlyMap<string, number | null>): Promise<void> {
  const { ends, withoutV2 } = place
  await assertOneLeft(run, place, ends)
  const [stays, goes] = ends === 'done' ? ['v2', 'v1'] : ['v1', 'v2']
  const pid = await run.pid(stays)
  assert.equal(pid, before.get(stays) ?? pid, 'it was found again, not started anew')
  assert.equal(run.facts().filter(({ fact, version }) => fact === 'started' && version === goes).length, withoutV2 ? 0 : 1)
}
