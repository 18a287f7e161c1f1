/** A small fleet takes one configuration after another while clients ask: no request fails, none goes back. `npm run bench:etcd` has thirty. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { needs } from '../kit/packages.ts'
import { runFleet } from './kit/fleet-run.ts'

describe('a fleet under load', { skip: needs('etcd') }, () => {
  test('six instances follow 30 puts: no request fails, all end at the last revision', async () => {
    const { effectMs, loads, revision, instances } = await runFleet({ processes: 4, planes: 2, puts: 30, gapMs: 60, pauseMs: 5 })
    assert.deepEqual(
      loads.map(({ wrong, errors, connections }) => ({ wrong, errors, connections })),
      loads.map(() => ({ wrong: [], errors: {}, connections: 1 })),
    )
    assert.deepEqual(
      instances.map((instance) => [instance.id, instance.revision]),
      ['baton-1', 'baton-2', 'baton-3', 'baton-4', 'plane-1', 'plane-2'].map((id) => [id, revision]),
    )
    assert.equal(effectMs.filter(Number.isFinite).length, 6 * 30)
  })
})
