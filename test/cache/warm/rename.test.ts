import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renamed } from '../../../src/cache/warm/rename.ts'

test('a name is fetched as the first rule that fits has it, and only its beginning changes', () => {
  const rules = [
    { from: 'v1:cart:', to: 'basket:' },
    { from: 'v1:', to: 'v2:' },
    { from: 'basket:', to: 'never:' },
  ]
  assert.equal(renamed('v1:cart:7', rules), 'basket:7')
  assert.equal(renamed('v1:item:v1:', rules), 'v2:item:v1:')
  assert.equal(renamed('other:v1:7', rules), 'other:v1:7')
  assert.equal(renamed('v1:7', []), 'v1:7')
})
