/** An instance holds no more after thousands of configurations than after one. `npm run soak` writes a hundred thousand. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { needs } from '../kit/packages.ts'
import { heldWhile } from './kit/held.ts'

/** 500 bytes for each revision; a snapshot that were kept has ten times as much. */
const growthMiB = 2

describe('following 5,000 revisions', { skip: needs('etcd') }, () => {
  test('memory stays flat', async (context) => {
    const held = await heldWhile(9, 500)
    context.diagnostic(held.map((mib) => mib.toFixed(2)).join(' '))
    const [first = 0, last = 0] = [held[0], held.at(-1)]
    assert.ok(last - first < growthMiB, `${held.join(' ')} MiB`)
  })
})
