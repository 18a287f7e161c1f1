import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, nearest } from '../../src/config/nearest.ts'

test('the nearest known word is found, whatever its case', () => {
  assert.equal(nearest('tiemouts', ['timeouts', 'limits', 'retry']), 'timeouts')
  assert.equal(nearest('Stable', ['stable', 'candidate']), 'stable')
  assert.equal(nearest('endpointdelay', ['endpointDelay', 'deadline']), 'endpointDelay')
})

test('a word that is near to nothing has no nearest', () => {
  assert.equal(nearest('zzz', ['stable', 'candidate']), null)
  assert.equal(nearest('a', []), null)
})

test('a swap of neighbours is one edit', () => {
  assert.equal(editDistance('retyr', 'retry'), 1)
  assert.equal(editDistance('kitten', 'sitting'), 3)
  assert.equal(editDistance('', 'abc'), 3)
})
