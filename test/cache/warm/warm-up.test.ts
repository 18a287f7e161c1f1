/** What a warm-up decides, with a clock that stands still and reads that the test answers; warm-up-redis.test.ts has the real ones. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Filled } from '../../../src/cache/tracker.ts'
import { View } from '../../../src/cache/view.ts'
import { Pace } from '../../../src/cache/warm/pace.ts'
import type { WarmSettings } from '../../../src/cache/warm/settings.ts'
import { type WarmParts, type WarmResult, WarmUp } from '../../../src/cache/warm/warm-up.ts'
import { FakeWorld } from '../../kit/fake-world.ts'
import { quiet } from '../../kit/turns.ts'
import { entryOf, FakeTracker } from './fake-tracker.ts'
import { numbered, settings as usual } from './tracked.ts'

interface Staged {
  readonly world: FakeWorld
  readonly tracker: FakeTracker
  readonly v1: View
  readonly v2: View
  warmUp(settings?: Partial<WarmSettings>, parts?: Partial<WarmParts>): WarmUp
}

/** All of them at once, each read ten times. */
function listOf(names: readonly string[]) {
  return async () => ({ names: names.map((name) => ({ name, reads: 10 })), reads: 10 * names.length })
}

const hot = [{ is: 'hot-names' }] as const

function staged({ bytes = 10_000_000 } = {}): Staged {
  const world = new FakeWorld()
  const tracker = new FakeTracker()
  const [v1, v2] = [new View('v1', { bytes: 10_000_000, absentBytes: 10_000 }), new View('v2', { bytes, absentBytes: 10_000 })]
  return {
    world,
    tracker,
    v1,
    v2,
    warmUp(settings = {}, parts = {}) {
      const all = { ...usual, ...settings }
      const pace = new Pace(world, all.perSecond)
      const isCached = (name: string) => name.startsWith('k:')
      const own = { world, tracker, view: v2, others: [v1], pace, isCached, hotList: null, file: null, settings: all }
      return new WarmUp({ ...own, ...parts })
    },
  }
}

/** Moves the clock from timer to timer until it has ended. */
async function played(world: FakeWorld, running: Promise<WarmResult>): Promise<WarmResult> {
  let isOver = false
  void running.finally(() => (isOver = true)).catch(() => {})
  while (!isOver) {
    await quiet(5)
    if (!isOver) world.advance(world.delays[0] ?? 0)
  }
  return running
}

const never = new AbortController().signal

describe('a warm-up from the other version', () => {
  test('shares its entries, reads nothing, and has them in the same order of use', async () => {
    const { world, tracker, v1, v2, warmUp } = staged()
    const names = numbered('k:', 2_500)
    for (const name of names) v1.put(name, entryOf(name))
    const result = await played(world, warmUp({ from: [{ is: 'other-version' }] }).run(never))
    assert.equal(result.is, 'warm')
    assert.equal(result.why, 'all-named')
    assert.deepEqual([...v2.names()], [...v1.names()])
    for (const name of names) assert.equal(v2.peek(name), v1.peek(name))
    assert.deepEqual(tracker.reads, [])
    assert.equal(result.progress.coverage, 1)
  })

  test('leaves out what is past its deadline, and leaves what v2 has as it is', async () => {
    const { world, tracker, v1, v2, warmUp } = staged()
    v1.put('k:old', entryOf('k:old', { deadline: world.elapsed() }))
    v1.put('k:both', entryOf('k:both'))
    const own = entryOf('k:both')
    v2.put('k:both', own)
    const { progress } = await played(world, warmUp({ from: [{ is: 'other-version' }] }).run(never))
    assert.equal(v2.peek('k:both'), own)
    assert.deepEqual(tracker.reads, [])
    assert.deepEqual([progress.named, progress.kept], [1, 1])
  })

  test('reads a renamed key, and never takes the value of another name', async () => {
    const { world, tracker, v1, v2, warmUp } = staged()
    for (const name of ['k:a:1', 'k:a:2', 'k:b:1']) v1.put(name, entryOf(name))
    tracker.answer = (name) => (name === 'k:new:2' ? 'absent' : 'kept')
    const rename = [
      { from: 'k:a:', to: 'k:new:' },
      { from: 'k:b:', to: 'elsewhere:' },
    ]
    const { progress } = await played(world, warmUp({ from: [{ is: 'other-version' }], rename }).run(never))
    assert.deepEqual(tracker.reads, ['k:new:2', 'k:new:1'])
    assert.deepEqual([...v2.names()], ['k:new:1'])
    assert.deepEqual([progress.named, progress.kept, progress.absent], [2, 1, 1])
  })

  test('into a smaller view takes the hottest, and is as warm as it can be', async () => {
    const { world, v1, v2, warmUp } = staged({ bytes: 50_000 })
    const names = numbered('k:', 200)
    for (const name of names) v1.put(name, entryOf(name))
    const result = await played(world, warmUp({ from: [{ is: 'other-version' }], require: 0.9 }).run(never))
    assert.deepEqual([result.is, result.why], ['warm', 'full'])
    assert.deepEqual([...v2.names()], names.slice(150).reverse())
  })
})

describe('a warm-up by names', () => {
  test('takes the sources in their order, each name once, cached ones only, a batch at a time', async () => {
    const { world, tracker, v1, v2, warmUp } = staged()
    v1.put('k:1', entryOf('k:1'))
    let [atOnce, most] = [0, 0]
    tracker.answer = async (): Promise<Filled> => {
      atOnce += 1
      most = Math.max(most, atOnce)
      await null
      atOnce -= 1
      return 'kept'
    }
    const hotList = async () => ({ names: ['k:5', 'k:1', 'k:6'].map((name) => ({ name, reads: 10 })), reads: 40 })
    tracker.scanned = ['k:6', 'k:7', 'session:1', 'k:8', 'k:7', 'k:9']
    const from = [{ is: 'hot-names' }, { is: 'scan', pattern: 'k:*' }, { is: 'other-version' }] as const
    const { progress, why } = await played(world, warmUp({ from, batch: 2 }, { hotList }).run(never))
    assert.deepEqual(tracker.reads, ['k:5', 'k:6', 'k:7', 'k:8', 'k:9'])
    assert.equal(most, 2)
    assert.equal(why, 'all-named')
    assert.deepEqual([progress.named, progress.kept, progress.predicted], [6, 6, 0.75])
    assert.equal(v2.keys, 6)
  })

  test('keeps to its rate', async () => {
    const { world, warmUp } = staged()
    const { progress } = await played(world, warmUp({ from: hot, perSecond: 1_000 }, { hotList: listOf(numbered('k:', 2_000)) }).run(never))
    // the last batch begins when all before it have had their time
    assert.ok(progress.elapsedMs > 2_000 - 64 - 25 && progress.elapsedMs < 2_100, `${progress.elapsedMs}`)
  })

  test('ends at its target: keys, bytes, or the share of reads that the view would answer', async () => {
    const targets = [
      { keys: 128, bytes: null, predicted: null },
      { keys: 100_000, bytes: 128_000, predicted: null },
      { keys: 100_000, bytes: null, predicted: 0.1 },
    ]
    for (const target of targets) {
      const { world, tracker, warmUp } = staged()
      const hotList = listOf(numbered('k:', 1_000))
      // the prediction is made anew twice a second
      tracker.answer = () => {
        world.advance(10)
        return 'kept'
      }
      const result = await played(world, warmUp({ from: hot, target }, { hotList }).run(never))
      assert.deepEqual([result.is, result.why, tracker.reads.length], ['warm', 'target', 128])
    }
  })

  test('ends at its deadline, though a read has no answer, and says how far it came', async () => {
    const { world, tracker, warmUp } = staged()
    tracker.answer = (name) => (name === 'k:70' ? new Promise(() => {}) : 'kept')
    const hotList = listOf(numbered('k:', 128))
    const result = await played(world, warmUp({ from: hot, deadlineMs: 5_000, require: 0.9 }, { hotList }).run(never))
    assert.deepEqual([result.is, result.why], ['short', 'deadline'])
    assert.equal(result.progress.elapsedMs, 5_000)
    assert.equal(result.progress.coverage, 0.5)
    assert.deepEqual([result.progress.phase, result.progress.source], ['ended', null])
    assert.equal(world.timers, 0)
  })

  test('ends when it is told to, and reads nothing more', async () => {
    const { world, tracker, warmUp } = staged()
    const stop = new AbortController()
    tracker.answer = () => {
      stop.abort()
      return 'kept'
    }
    const running = warmUp({ from: hot }, { hotList: listOf(numbered('k:', 1_000)) })
    const result = await played(world, running.run(stop.signal))
    assert.deepEqual([result.is, result.why], ['short', 'cancelled'])
    await new Promise(setImmediate)
    assert.equal(tracker.reads.length, usual.batch)
    const before = await played(world, staged().warmUp().run(AbortSignal.abort()))
    assert.equal(before.why, 'cancelled')
  })

  test('tries a dropped read again, later, and gives up on a key that changes all the time', async () => {
    const { world, tracker, warmUp } = staged()
    const times = (name: string) => tracker.reads.filter((each) => each === name).length
    tracker.answer = (name) => (name === 'k:always' || (name === 'k:twice' && times(name) <= 2) ? 'dropped' : 'kept')
    const running = warmUp({ from: hot }, { hotList: listOf(['k:always', 'k:twice', 'k:1']) })
    const { progress, why } = await played(world, running.run(never))
    assert.deepEqual([times('k:always'), times('k:twice'), times('k:1')], [4, 3, 1])
    assert.deepEqual([progress.kept, progress.dropped, why], [2, 1, 'all-named'])
  })

  test('counts what Redis does not have as settled, and what may not be kept as not', async () => {
    const { world, tracker, warmUp } = staged()
    tracker.answer = (name) => (name === 'k:0' ? 'absent' : name === 'k:1' ? 'refused' : 'kept')
    const { progress } = await played(world, warmUp({ from: hot }, { hotList: listOf(numbered('k:', 4)) }).run(never))
    assert.deepEqual([progress.kept, progress.absent, progress.refused, progress.coverage], [2, 1, 1, 0.75])
  })

  test('names that Redis lacks do not make a view full', async () => {
    const { world, tracker, v2, warmUp } = staged()
    tracker.answer = (name) => {
      v2.put(name, { ...entryOf(name), payload: { is: 'absent' } })
      return 'absent'
    }
    const { progress, why } = await played(world, warmUp({ from: hot }, { hotList: listOf(numbered('k:', 500)) }).run(never))
    assert.ok(v2.evictions > 0)
    assert.deepEqual([why, progress.isFull, progress.coverage], ['all-named', false, 1])
  })

  test('a source that cannot be read is told, the next one is asked, and what it would have named counts as missing', async () => {
    const { world, warmUp, v1, tracker } = staged()
    v1.put('k:1', entryOf('k:1'))
    const hotList = () => Promise.reject(new Error('redis refuses ZREVRANGE'))
    const from = [{ is: 'hot-names' }, { is: 'other-version' }] as const
    const { progress, is } = await played(world, warmUp({ from, require: 0.5 }, { hotList }).run(never))
    assert.equal(is, 'short')
    assert.deepEqual(progress.faults, ['hot-names: redis refuses ZREVRANGE'])
    assert.equal(progress.isNamed, false)
    assert.equal(progress.predicted, null)
    assert.deepEqual([progress.kept, tracker.reads], [1, []])
  })

  test('a file that is not configured is refused before anything begins', () => {
    assert.throws(() => staged().warmUp({ from: [{ is: 'file' }] }), { code: 'config' })
  })
})

describe('a warm-up whose views are emptied', () => {
  test('settles all that was named anew, and counts no name twice', async () => {
    const { world, tracker, v1, v2, warmUp } = staged()
    let isFlushed = false
    tracker.answer = (name) => {
      if (name === 'k:100' && !isFlushed) {
        isFlushed = true
        tracker.flush(v1, v2)
      }
      return 'kept'
    }
    // the second source is named one ahead
    const hotList = listOf(numbered('k:', 150))
    const from = [{ is: 'hot-names' }, { is: 'scan', pattern: 'k:*' }] as const
    tracker.scanned = numbered('k:', 200)
    const { progress, why } = await played(world, warmUp({ from }, { hotList }).run(never))
    assert.equal(why, 'all-named')
    assert.deepEqual([progress.named, progress.kept, v2.keys, progress.coverage], [200, 200, 200, 1])
  })

  test('waits until Redis is tracked, from its beginning as well, and no longer than its deadline', async () => {
    const { world, tracker, v1, v2, warmUp } = staged()
    tracker.live = false
    world.after(1_000, () => (tracker.live = true))
    tracker.answer = (name) => {
      if (name === 'k:10') {
        tracker.live = false
        tracker.flush(v1, v2)
        return 'dropped'
      }
      return 'kept'
    }
    const running = warmUp({ from: hot, deadlineMs: 3_000 }, { hotList: listOf(numbered('k:', 20)) })
    assert.equal(running.progress().elapsedMs, 0)
    const { why, progress } = await played(world, running.run(never))
    assert.equal(why, 'deadline')
    assert.equal(progress.elapsedMs, 3_000)
    assert.equal(tracker.reads.length, 20)
  })
})
