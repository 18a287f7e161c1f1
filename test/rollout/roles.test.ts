import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rolesOf } from '../../src/rollout/roles.ts'
import type { Place } from '../../src/rollout/upgrade.ts'
import { ordered, places, placeText, plan, upgradeAt } from './upgrade-fixture.ts'

/** stable, candidate, weight */
const shift: Readonly<Record<string, readonly [string, string | null, number]>> = {
  precheck: ['v1', 'v2', 0],
  'start-new': ['v1', 'v2', 0],
  'health-check': ['v1', 'v2', 0],
  warm: ['v1', 'v2', 0],
  'shift 0': ['v1', 'v2', 0],
  'shift 1': ['v1', 'v2', 25],
  'shift 1 paused': ['v1', 'v2', 25],
  'shift 2': ['v1', 'v2', 100],
  'stop-old drain': ['v2', null, 0],
  'stop-old drain frozen': ['v2', null, 0],
  'stop-old stop': ['v2', null, 0],
  'rollback restart-old': ['v2', null, 0],
  'rollback drain': ['v1', null, 0],
  'rollback stop': ['v1', null, 0],
}
const exclusive: typeof shift = {
  precheck: ['v1', 'v2', 0],
  hold: ['v1', 'v2', 0],
  'stop-old drain': ['v1', 'v2', 0],
  'stop-old stop': ['v1', 'v2', 0],
  'start-new': ['v1', 'v2', 0],
  'health-check': ['v1', 'v2', 0],
  release: ['v2', null, 0],
  'rollback stop': ['v1', null, 0],
  'rollback restart-old': ['v1', null, 0],
  'rollback release': ['v1', null, 0],
}

for (const [strategy, table] of [
  ['shift', shift],
  ['exclusive', exclusive],
] as const) {
  describe(`roles while an upgrade is under way, ${strategy}`, () => {
    for (const [name, [stable, candidate, weight]] of Object.entries(table)) {
      test(name, () => {
        const place = places.find((each) => placeText(each) === name)
        assert.ok(place)
        const found = rolesOf(upgradeAt(place, { plan: plan({ strategy }) }), 'v1', 'v3')
        assert.deepEqual(found, { stable, candidate, weight, salt: 'upg-20261124-abcd' })
      })
    }
  })
}

describe('roles with no upgrade under way', () => {
  const over: readonly Place[] = [{ phase: 'done' }, { phase: 'rolled-back', why: ordered }, { phase: 'failed', why: ordered }]
  for (const upgrade of [null, ...over.map((place) => upgradeAt(place))]) {
    test(`are the ledger's and the configuration's: ${upgrade?.phase ?? 'none yet'}`, () => {
      assert.deepEqual(rolesOf(upgrade, 'v3', 'v4'), { stable: 'v3', candidate: 'v4', weight: 0, salt: 'v4' })
    })
  }

  test('have no candidate where it would be stable, or none is configured', () => {
    const none = { stable: 'v3', candidate: null, weight: 0, salt: 'v3' }
    assert.deepEqual(rolesOf(null, 'v3', 'v3'), none)
    assert.deepEqual(rolesOf(null, 'v3', null), none)
  })
})
