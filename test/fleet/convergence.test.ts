import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Convergence, convergenceOn } from '../../src/fleet/convergence.ts'
import type { InstanceRecord } from '../../src/fleet/record.ts'
import { record } from './fixture.ts'

const refusedAt = (revision: number) => ({ revision, faults: ['a fault'] })
const nobody: Convergence = { taken: [], refused: [], pending: [] }

/** What an instance tells, of revision 10 of a store that is at 20. */
const table: readonly (readonly [what: string, told: Partial<InstanceRecord>, state: keyof Convergence])[] = [
  ['runs it', { revision: 10 }, 'taken'],
  ['runs a later one', { revision: 12 }, 'taken'],
  ['runs the one before', { revision: 9 }, 'pending'],
  ['runs none yet', { revision: 0 }, 'pending'],
  ['refused it', { revision: 9, refused: refusedAt(10) }, 'refused'],
  ['skipped it and refused a later one', { revision: 9, refused: refusedAt(11) }, 'refused'],
  ['refused the one before', { revision: 8, refused: refusedAt(9) }, 'pending'],
  ['runs it, and refused a later one', { revision: 10, refused: refusedAt(11) }, 'taken'],
  ['runs one of before the store was restored', { revision: 500 }, 'pending'],
  ['refused one of before the store was restored', { revision: 9, refused: refusedAt(500) }, 'pending'],
]

describe('an instance that', () => {
  for (const [what, told, state] of table) {
    test(`${what}: ${state}`, () => {
      const found = convergenceOn(10, {
        instances: [{ ...record, ...told }],
        unknown: [],
        header: { cluster: '1', revision: 20 },
        unchanged: { prefix: '/p/instances/', since: 20 },
      })
      const entry = state === 'refused' ? { id: 'shop-1', faults: ['a fault'] } : 'shop-1'
      assert.deepEqual(found, { ...nobody, [state]: [entry] })
    })
  }

  test('tells of itself in words that this build does not understand: pending', () => {
    const found = convergenceOn(10, {
      instances: [],
      unknown: ['/p/instances/x'],
      header: { cluster: '1', revision: 20 },
      unchanged: { prefix: '/p/instances/', since: 20 },
    })
    assert.deepEqual(found, { ...nobody, pending: ['/p/instances/x'] })
  })
})

test('each instance is in one state, in the order of the roster', () => {
  const instances = table.map(([id, told]) => ({ ...record, ...told, id }))
  const { taken, refused, pending } = convergenceOn(10, {
    instances,
    unknown: [],
    header: { cluster: '1', revision: 20 },
    unchanged: { prefix: '/p/instances/', since: 20 },
  })
  const named = (state: keyof Convergence) => table.filter((row) => row[2] === state).map(([id]) => id)
  assert.deepEqual([taken, refused.map(({ id }) => id), pending], [named('taken'), named('refused'), named('pending')])
})

test('nobody has nothing to take', () => {
  assert.deepEqual(
    convergenceOn(10, {
      instances: [],
      unknown: [],
      header: { cluster: '1', revision: 20 },
      unchanged: { prefix: '/p/instances/', since: 20 },
    }),
    nobody,
  )
})
