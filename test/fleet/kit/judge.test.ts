import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { judge } from './judge.ts'

const committed = [3, 5, 8].map((revision) => ({ revision, text: `number ${revision}` }))
const at = (...revisions: readonly number[]) => revisions.map((revision) => ({ revision, text: `number ${revision}` }))

describe('the checker', () => {
  test('finds nothing where every configuration was taken, or some were skipped', () => {
    assert.deepEqual(judge(committed, at(3, 5, 8)), [])
    assert.deepEqual(judge(committed, at(8)), [])
  })

  test('finds an end that is not the last one, a way back, one twice, another content, and one of nobody', () => {
    for (const applied of [[], at(3, 5), at(5, 3, 8), at(3, 3, 8), [{ revision: 3, text: 'other' }, ...at(8)], at(4, 8)])
      assert.equal(judge(committed, applied).length, 1, JSON.stringify(applied))
  })
})
