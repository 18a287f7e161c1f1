import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RefreshQueue } from '../../src/cache/refresh-queue.ts'
import { FakeWorld } from '../kit/fake-world.ts'

function queueOf(perSecond: number): { world: FakeWorld; queue: RefreshQueue<string>; read: string[] } {
  const world = new FakeWorld()
  const read: string[] = []
  const queue = new RefreshQueue<string>({ everyMs: 100, perSecond }, world, (name, _, views) =>
    read.push(`${name} for ${views.join(' ')}`),
  )
  return { world, queue, read }
}

const longAgo = Number.NEGATIVE_INFINITY

describe('keys to be read again', () => {
  test('are read soon, and once, for all views that want them', () => {
    const { world, queue, read } = queueOf(1_000)
    queue.add('k', 'string', ['v1'], longAgo)
    queue.add('k', 'string', ['v2'], longAgo)
    queue.add('other', 'string', ['v1'], longAgo)
    assert.equal(queue.join('other', ['v2']), true)
    assert.equal(queue.join('nobody', ['v2']), false)
    assert.deepEqual(read, [])
    world.advance(10)
    assert.deepEqual(read, ['k for v1 v2', 'other for v1 v2'])
    world.advance(1_000)
    assert.equal(read.length, 2)
    assert.equal(world.timers, 0)
  })

  test('are read at most once in 100 ms each, however often they change', () => {
    const { world, queue, read } = queueOf(1_000)
    let readAt = longAgo
    for (let ms = 0; ms < 1_000; ms++) {
      const before = read.length
      queue.add('k', 'string', ['v1'], readAt)
      world.advance(1)
      if (read.length > before) readAt = world.elapsed()
    }
    assert.ok(read.length >= 8 && read.length <= 10, String(read.length))
  })

  test('are not read just after they changed: what Redis tells of an own write is still to come', () => {
    const { world, queue, read } = queueOf(1_000)
    queue.add('k', 'string', ['v1'], longAgo)
    world.advance(8)
    queue.add('late', 'string', ['v1'], longAgo)
    world.advance(2)
    assert.deepEqual(read, ['k for v1'])
    world.advance(10)
    assert.deepEqual(read, ['k for v1', 'late for v1'])
  })

  test('together are read at a rate, and have a number of places', () => {
    const { world, queue, read } = queueOf(100)
    const taken = Array.from({ length: 150 }, (_, at) => queue.add(`k${at}`, 'string', ['v1'], longAgo))
    assert.equal(taken.filter((isTaken) => isTaken).length, 100)
    world.advance(100)
    assert.equal(read.length, 10)
    world.advance(900)
    assert.equal(read.length, 100)
    assert.equal(queue.add('k', 'string', ['v1'], longAgo), true)
  })

  test('are forgotten when all was dropped', () => {
    const { world, queue, read } = queueOf(100)
    queue.add('k', 'string', ['v1'], longAgo)
    queue.clear()
    world.advance(1_000)
    assert.deepEqual([read, queue.size, world.timers], [[], 0, 0])
  })
})
