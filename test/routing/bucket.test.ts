import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bucketOf, buckets, murmur3 } from '../../src/routing/bucket.ts'

const users = Array.from({ length: 100_000 }, (_, index) => `user-${index}`)

describe('the hash', () => {
  // Published MurmurHash3_x86_32 vectors of an even number of bytes, each pair of bytes one UTF-16 code unit.
  const vectors: readonly (readonly [string, number, number])[] = [
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['\uffff\uffff', 0, 0x76293b50],
    ['\u4321\u8765', 0, 0xf55b516b],
    ['\u4321\u8765', 0x5082edee, 0x2362f9de],
    ['\u4321', 0, 0xa0f7b07a],
    ['\0\0', 0, 0x2362f9de],
    ['\0', 0, 0x30f4c306],
  ]
  for (const [text, seed, hash] of vectors) {
    test(`is MurmurHash3 of ${JSON.stringify(text)} with seed ${seed}`, () => assert.equal(murmur3(text, 0, text.length, seed), hash))
  }
  test('of a range is that of the text cut out', () => {
    assert.equal(murmur3('uid=abcde;', 4, 9, 7), murmur3('abcde', 0, 5, 7))
  })
})

describe('a bucket', () => {
  test('never changes from release to release', () => {
    const pinned = [bucketOf('user-1', 'v2'), bucketOf('user-2', 'v2'), bucketOf('user-1', 'upg-20261124-ab12'), bucketOf('', '')]
    assert.deepEqual(pinned, [5528, 9931, 6602, 0])
  })
  test('is evenly spread over the keys', () => {
    const counts = new Array<number>(100).fill(0)
    for (const user of users) {
      const bucket = bucketOf(user, 'v2')
      assert.ok(Number.isInteger(bucket) && bucket >= 0 && bucket < buckets)
      const slot = Math.floor(bucket / 100)
      counts[slot] = (counts[slot] ?? 0) + 1
    }
    // 99 degrees of freedom: a fair spread exceeds 149 once in a thousand salts, and this salt is fixed.
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
    assert.ok(chiSquare < 149, `chi-square ${chiSquare}`)
  })
  test('under one salt says nothing about the bucket under another', () => {
    for (const [one, other] of [
      ['v2', 'v3'],
      ['upg-20261124-ab12', 'upg-20261124-ab13'],
      ['', 'v2'],
    ]) {
      const low = users.filter((user) => bucketOf(user, one ?? '') < 1000)
      const both = low.filter((user) => bucketOf(user, other ?? '') < 1000).length / low.length
      assert.ok(both > 0.08 && both < 0.12, `${one} and ${other}: ${both}, expected about 0.1`)
    }
  })
})
