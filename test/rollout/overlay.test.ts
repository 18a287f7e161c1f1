/** What lies over a configuration. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { firstLedger } from '../../src/rollout/first-ledger.ts'
import type { Ledger } from '../../src/rollout/ledger.ts'
import { orderIn, vetoFor, wishesFor } from '../../src/rollout/overlay.ts'
import { parse } from '../config/fixture.ts'
import { upgradeAt } from './upgrade-fixture.ts'

const text = 'versions: { v1: { url: "http://127.0.0.1:1" }, v2: { url: "http://127.0.0.1:2" } }\nstable: v2\n'
const { dynamic } = parse(text)

const ledger: Ledger = {
  v: 1,
  stable: 'v1',
  configuredStable: 'v1',
  retired: ['v2', 'v0'],
  drained: ['v2', 'v3'],
  spare: { version: 'v2', until: 7 },
  upgrade: null,
}

describe('an edit of stable', () => {
  const taken = { stable: 'v2', configuredStable: 'v2', retired: ['v0'], drained: ['v3'], spare: null }

  test('takes back what was ordered of that version before: it was idle, and is to serve', () => {
    assert.deepEqual(orderIn(ledger, dynamic), taken)
  })

  test('counts in the very swap that brings it, before it is journaled', () => {
    assert.deepEqual(wishesFor(ledger, dynamic), { stable: 'v2', candidate: null, kept: ['v3'], retired: ['v0'], drained: ['v3'] })
  })

  test('counts as much if it was made while baton was down', () => {
    const known = { ...ledger, retired: ['v2'], drained: ['v2'] }
    assert.deepEqual(firstLedger(known, dynamic).ledger, {
      ...known,
      stable: 'v2',
      configuredStable: 'v2',
      retired: [],
      drained: [],
      spare: null,
    })
  })

  test('that is none orders nothing', () => {
    assert.equal(orderIn({ ...ledger, configuredStable: 'v2' }, dynamic), null)
  })
})

describe('a version that a configuration has not got, whatever its name', () => {
  for (const name of ['v9', 'constructor']) {
    const needed = { ...ledger, stable: name, configuredStable: dynamic.stable }

    test(`${name} as stable: the configuration is not taken`, () => {
      assert.equal(vetoFor(needed, dynamic)?.path, 'versions')
    })

    test(`${name} in an upgrade under way: the configuration is not taken`, () => {
      const upgrade = { ...upgradeAt({ phase: 'warm' }), to: name }
      assert.match(vetoFor({ ...needed, upgrade }, dynamic)?.reason ?? '', new RegExp(`needs ${name}$`))
    })

    test(`${name} in the journal: roles begin anew`, () => {
      assert.match(firstLedger(needed, dynamic).warning ?? '', new RegExp(`^the journal needs ${name},`))
    })
  }
})
