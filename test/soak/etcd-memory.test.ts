/** 100,000 revisions (`REVISIONS` for another number), each of them taken: an instance holds at the end what it held early on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { heldWhile } from '../fleet/kit/held.ts'
import { growthOf } from '../kit/heap.ts'
import { needs } from '../kit/packages.ts'
import { record } from './record.ts'

const revisions = Number(process.env.REVISIONS ?? 100_000)
const rounds = 20
/** 20 bytes for each of 100,000. */
const growthMiB = 2

describe(`following ${revisions} revisions`, { skip: needs('etcd') }, () => {
  test('memory stays flat', async (context) => {
    const held = await heldWhile(rounds, revisions / rounds)
    context.diagnostic(held.map((mib) => mib.toFixed(2)).join(' '))
    record('Following etcd', {
      'revisions followed': revisions,
      'held after each twentieth of them (MiB)': held.map((mib) => mib.toFixed(1)).join(' '),
    })
    assert.ok(growthOf(held) < growthMiB, `${held.join(' ')} MiB`)
  })
})
