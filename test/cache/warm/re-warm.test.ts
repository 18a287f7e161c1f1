import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { View } from '../../../src/cache/view.ts'
import { Pace } from '../../../src/cache/warm/pace.ts'
import { ReWarm } from '../../../src/cache/warm/re-warm.ts'
import { realWorld } from '../../../src/world.ts'
import { FakeWorld } from '../../kit/fake-world.ts'
import { needs } from '../../kit/packages.ts'
import { quiet, until } from '../../kit/turns.ts'
import { entryOf, FakeTracker } from './fake-tracker.ts'
import { numbered, startTracked, valuesOf } from './tracked.ts'

function staged({ perSecond = Number.POSITIVE_INFINITY, most = 100, batch = 10 } = {}) {
  const world = new FakeWorld()
  const tracker = new FakeTracker()
  const views = ['v1', 'v2'].map((version) => new View(version, { bytes: 10_000_000, absentBytes: 10_000 }))
  const [v1, v2] = views
  assert.ok(v1 !== undefined && v2 !== undefined)
  const reWarm = new ReWarm({ world, tracker, views, pace: new Pace(world, perSecond), batch, most })
  const lose = () => {
    reWarm.lost()
    tracker.flush(v1, v2)
  }
  return { world, tracker, views, v1, v2, reWarm, lose }
}

function held(view: View, names: readonly string[]): void {
  // the first is the hottest
  for (const name of names.toReversed()) view.put(name, entryOf(name))
}

describe('what a lost session emptied', () => {
  test('is read again into each view that held it, hottest first, one read for both where both did', async () => {
    const { tracker, v1, v2, reWarm, lose } = staged()
    held(v1, ['k:a', 'k:b', 'k:c'])
    held(v2, ['k:x', 'k:b'])
    lose()
    assert.deepEqual([v1.keys, v2.keys, reWarm.left], [0, 0, 4])
    reWarm.live()
    await until(() => reWarm.left === 0, 'all are read')
    // the tracker joins two reads of one name that are asked for in one turn
    assert.deepEqual(tracker.reads, ['k:a', 'k:x', 'k:b', 'k:b', 'k:c'])
    assert.deepEqual([...v1.names()].sort(), ['k:a', 'k:b', 'k:c'])
    assert.deepEqual([...v2.names()].sort(), ['k:b', 'k:x'])
  })

  test('is no more than the hottest of each view', async () => {
    const { tracker, v1, v2, reWarm, lose } = staged({ most: 3 })
    held(v1, numbered('k:a', 10))
    held(v2, ['k:a5'])
    lose()
    reWarm.live()
    await until(() => reWarm.left === 0, 'all are read')
    assert.deepEqual(tracker.reads, ['k:a0', 'k:a5', 'k:a1', 'k:a2'])
  })

  test('is not read where a client has read it meanwhile, nor for a version that is gone', async () => {
    const { tracker, views, v1, v2, reWarm, lose } = staged()
    held(v1, ['k:a', 'k:b'])
    held(v2, ['k:x'])
    lose()
    v1.put('k:a', entryOf('k:a'))
    views.pop()
    reWarm.live()
    await until(() => reWarm.left === 0, 'all are read')
    assert.deepEqual(tracker.reads, ['k:b'])
  })

  test('keeps to its rate, stops at the next loss, and then begins anew with what was not read as well', async () => {
    const { world, tracker, v1, reWarm, lose } = staged({ perSecond: 1_000 })
    const names = numbered('k:', 50)
    held(v1, names)
    lose()
    reWarm.live()
    await quiet()
    world.advance(10)
    await quiet()
    const before = tracker.reads.length
    assert.ok(before >= 10 && before <= 40, `${before}`)
    lose()
    world.advance(1_000)
    await quiet()
    assert.equal(tracker.reads.length, before)
    assert.equal(reWarm.left, 50)
    reWarm.live()
    for (let each = 0; each < 10; each += 1) {
      world.advance(10)
      await quiet()
    }
    assert.deepEqual([reWarm.left, v1.keys], [0, 50])
    assert.deepEqual([...new Set(tracker.reads)].sort(), names.toSorted())
  })

  test('is forgotten at the end', async () => {
    const { world, tracker, v1, reWarm, lose } = staged({ perSecond: 1_000 })
    held(v1, numbered('k:', 50))
    lose()
    reWarm.live()
    reWarm.stop()
    world.advance(1_000)
    await quiet()
    assert.deepEqual([tracker.reads, reWarm.left], [[], 0])
  })

  test('comes back from a real Redis that was killed and started again', { skip: needs('redis-server') }, async () => {
    let reWarm: ReWarm | null = null
    await using tracked = await startTracked({ onLost: () => reWarm?.lost(), onLive: () => reWarm?.live() })
    const { tracker, v1, v2, redis } = tracked
    const names = numbered('k:', 500)
    await tracked.ask(...valuesOf(names))
    await tracked.hold(v1, names)
    await tracked.hold(v2, names.slice(0, 10))
    reWarm = new ReWarm({ world: realWorld, tracker, views: [v1, v2], pace: new Pace(realWorld, 10_000), batch: 64, most: 20_000 })
    await redis.say('CLIENT KILL TYPE pubsub')
    const isBack = () => tracker.counts.losses === 1 && v1.keys === 500 && v2.keys === 10
    await until(isBack, () => `${v1.keys} and ${v2.keys} are back`)
    await redis.stop('SIGKILL')
    await until(() => !tracker.live, 'it is lost')
    assert.deepEqual([v1.keys, v2.keys, reWarm.left], [0, 0, 500])
    await redis.start()
    const left = () => reWarm?.left
    await until(
      () => left() === 0,
      () => `${left()} are left`,
    )
    // without persistence it has none of them, which is known now
    assert.deepEqual([v1.keys, v1.absentKeys, v2.absentKeys], [0, 500, 10])
  })
})
