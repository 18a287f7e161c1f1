/** What of a request's body is kept for a second attempt. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Head } from '../../src/proxy/inbound/inbound.ts'
import { Replay } from '../../src/proxy/replay.ts'
import { headOf } from './head.ts'

const limit = 8
const kept = (head: Partial<Head>) => Replay.for(headOf(head), limit)

test('kept: a body that is not known to be too long, whatever the method: one that never left may go again', () => {
  assert.notEqual(kept({ method: 'POST', body: 8 }), null)
  assert.notEqual(kept({ method: 'PUT', body: 8 }), null)
  assert.notEqual(kept({ method: 'PUT', body: 'chunked' }), null)
  assert.notEqual(kept({ method: 'GET', body: 0 }), null)
})

test('not kept: a longer body, an upgrade', () => {
  assert.equal(kept({ method: 'PUT', body: 9 }), null)
  assert.equal(kept({ method: 'GET', body: 'none', upgrade: 'websocket' }), null)
})

test('up to the limit it has all that was read, in order', () => {
  const replay = kept({ method: 'PUT', body: 'chunked' })
  for (const text of ['1234', '', '5678']) replay?.keep(Buffer.from(text))
  assert.equal(replay?.isWhole, true)
  assert.equal(Buffer.concat(replay?.chunks ?? []).toString(), '12345678')
})

test('past the limit it has nothing, lets go of what it had, and never becomes whole again', () => {
  const replay = kept({ method: 'PUT', body: 'chunked' })
  for (const text of ['1234', '56789', '0']) replay?.keep(Buffer.from(text))
  assert.equal(replay?.isWhole, false)
  assert.deepEqual(replay?.chunks, [])
})
