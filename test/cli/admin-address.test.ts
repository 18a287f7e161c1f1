import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { adminAddress } from '../../src/cli/admin-address.ts'
import { realWorld } from '../../src/world.ts'

describe('without --admin, baton is asked at the socket in its state folder', () => {
  const rows: readonly (readonly [state: string | undefined, path: string])[] = [
    [undefined, '.baton/admin.sock'],
    ['', '.baton/admin.sock'],
    ['/var/b', '/var/b/admin.sock'],
  ]
  for (const [state, path] of rows) {
    test(`BATON_STATE ${state === undefined ? 'not set' : `"${state}"`} → ${path}`, () => {
      assert.deepEqual(adminAddress({}, { ...realWorld, env: { BATON_STATE: state } }), { is: 'unix', path })
    })
  }
})
