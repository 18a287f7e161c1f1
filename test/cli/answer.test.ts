/** What an answer holds, whoever gave it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasAll, part } from '../../src/cli/answer.ts'

describe('an answer', () => {
  test('has a part where it is an object with that key, whatever else it is', () => {
    assert.equal(part({ upgrade: null }, 'upgrade'), null)
    for (const other of [undefined, null, '', 'upgrade', 0, [], ['upgrade'], {}]) assert.equal(part(other, 'upgrade'), undefined)
  })

  test('has all parts or not', () => {
    assert.equal(hasAll({ id: 1, seq: null }, ['id', 'seq']), true)
    for (const other of [undefined, null, 'id', [], {}, { id: 1 }]) assert.equal(hasAll(other, ['id', 'seq']), false)
  })
})
