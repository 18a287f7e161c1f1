import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytesOf, type Payload } from '../../../src/cache/entry.ts'
import { batchOf, takeOps } from '../../../src/cache/push/batch.ts'
import { Dirty } from '../../../src/cache/push/dirty.ts'
import { bytesOfWire, limits, wireText } from '../../../src/cache/push/wire.ts'
import { View } from '../../../src/cache/view.ts'
import { FakeWorld } from '../../kit/fake-world.ts'

const world = new FakeWorld()

function viewOf(payloads: Readonly<Record<string, Payload>>, deadline = Number.POSITIVE_INFINITY): View {
  const view = new View('v1', { bytes: 100_000_000, absentBytes: 1_000_000 })
  for (const [name, payload] of Object.entries(payloads))
    view.put(name, { payload, readAt: 0, expiresAt: deadline, deadline, bytes: bytesOf(name, payload) })
  return view
}

function linesOf(view: View, maxOps: number = limits.ops): unknown[] {
  return takeOps(started(view), view, world, maxOps).lines.map((line) => JSON.parse(line))
}

function started(view: View): Dirty {
  const dirty = new Dirty([...view.names(), ...view.absentNames()])
  dirty.start()
  return dirty
}

const text = (value: string | Buffer): Payload => ({ is: 'string', value: Buffer.from(value) })

describe('a batch', () => {
  test('has each payload in its form, and a hash of which only some fields are known as a delete', () => {
    const hash = (whole: boolean): Payload => ({ is: 'hash', whole, fields: new Map([['f', Buffer.from('1')]]) })
    const view = viewOf({ n: { is: 'absent' }, p: hash(false), h: hash(true), b: text(Buffer.from([255, 0])), t: text('é\n') })
    assert.deepEqual(linesOf(view), [
      { op: 'clear' },
      { op: 'set', key: 't', value: 'é\n' },
      { op: 'set', key: 'b', value: { base64: '/wA=' } },
      { op: 'set', key: 'h', hash: [['f', '1']] },
      { op: 'delete', key: 'p' },
      { op: 'set', key: 'n', absent: true },
    ])
  })

  test('has what is left of a TTL at its building, in whole milliseconds, and a delete for what has none left', () => {
    const now = world.elapsed()
    assert.deepEqual(linesOf(viewOf({ a: text('1') }, now + 99.9)).slice(1), [{ op: 'set', key: 'a', ttlMs: 99, value: '1' }])
    assert.deepEqual(linesOf(viewOf({ a: text('1') }, now + 0.9)).slice(1), [{ op: 'delete', key: 'a' }])
  })

  test('ends at so many operations, or bytes, and the rest comes in the next one', () => {
    const names = Array.from({ length: 600 }, (_, at) => `k:${at}`)
    const small = viewOf(Object.fromEntries(names.map((name) => [name, text('1')])))
    assert.equal(linesOf(small, 10).length, 10)
    assert.equal(linesOf(small, 10_000).length, limits.ops)

    const big = viewOf(Object.fromEntries(names.slice(0, 9).map((name) => [name, text('x'.repeat(300_000))])))
    const dirty = started(big)
    let sets = 0
    while (!dirty.isEmpty) {
      const { lines } = takeOps(dirty, big, world, limits.ops)
      const size = batchOf({ instance: 'a'.repeat(128), epoch: 1e15, seq: 1e15, fence: 1e15, leaseMs: 1e9 }, lines).length
      assert.ok(size <= limits.batchBytes, String(size))
      sets += lines.filter((line) => line.includes('"set"')).length
    }
    assert.equal(sets, 9)
  })

  test('ends where its building has kept the event loop for a few milliseconds', () => {
    const view = viewOf(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`k:${at}`, text('1')])))
    let now = 0
    const slow = { elapsed: () => now++ }
    assert.ok(takeOps(started(view), view, slow, limits.ops).lines.length < 10)
  })

  test('has a delete for what does not fit into a line', () => {
    const view = viewOf({ a: text('x'.repeat(limits.lineBytes)) })
    const { lines, tooLong } = takeOps(started(view), view, world, limits.ops)
    assert.deepEqual(lines.slice(1), ['{"op":"delete","key":"a"}'])
    assert.equal(tooLong, 1)
  })

  test('has bytes as base64 where they are no text, or would be longer as text', () => {
    for (const bytes of [Buffer.from([0xff]), Buffer.alloc(300, 1), Buffer.from('äöü"\\'), Buffer.from('')]) {
      const wire = wireText(bytes)
      assert.ok(Buffer.byteLength(wire) <= (bytes.length * 4) / 3 + 16)
      assert.deepEqual(bytesOfWire(JSON.parse(wire)), bytes)
    }
  })
})
