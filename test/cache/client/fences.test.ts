import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Fences } from '../../../src/cache/client/fences.ts'

describe('fences', () => {
  test('too many tombstones become one for every key, and batches that have not heard of it are not taken', () => {
    const fences = new Fences()
    for (let at = 1; at <= 10_000; at += 1) fences.end(fences.begin([`k:${at}`], () => false))
    assert.equal(fences.overflows(), false)
    const last = fences.begin(['k:0'], () => false)
    assert.equal(fences.overflows(), true)
    assert.equal(fences.overflows(), false)
    assert.equal(fences.floor, last)
    assert.equal(fences.returned, last - 1)
    assert.equal(fences.refuses('k:1', last), false)
  })

  test('writes may return in any order', () => {
    const fences = new Fences()
    const [first, second, third] = ['a', 'b', 'c'].map((name) => fences.begin([name], () => false))
    fences.end(second ?? 0)
    assert.equal(fences.returned, 0)
    fences.end(first ?? 0)
    assert.equal(fences.returned, 2)
    fences.end(third ?? 0)
    assert.equal(fences.returned, 3)
  })
})
