/** An instance holds no more after thousands of configurations than after one. `npm run soak` writes a hundred thousand. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { growthOf } from '../kit/heap.ts'
import { needs } from '../kit/packages.ts'
import { heldWhile } from './kit/held.ts'

/** V8 still warms up, by some 0.8 KB a revision; a snapshot that were kept has seven times as much. */
const growthMiB = 4

describe('following 1,500 revisions', { skip: needs('etcd') }, () => {
  test('memory stays flat', async (context) => {
    const held = await heldWhile(10, 150)
    context.diagnostic(held.map((mib) => mib.toFixed(2)).join(' '))
    assert.ok(growthOf(held) < growthMiB, `${held.join(' ')} MiB`)
  })
})
