import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Pace } from '../../../src/cache/warm/pace.ts'
import { FakeWorld } from '../../kit/fake-world.ts'

/** Moves the clock from timer to timer until `work` is done. */
async function played(world: FakeWorld, work: Promise<unknown>): Promise<number> {
  const began = world.elapsed()
  let isDone = false
  void work.finally(() => (isDone = true))
  while (!isDone) {
    await new Promise(setImmediate)
    world.advance(world.delays[0] ?? 0)
  }
  return world.elapsed() - began
}

describe('a pace', () => {
  test('lets so many a second pass, whatever the batches, and those that share it together', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 10 }), async (batches) => {
        const world = new FakeWorld()
        const pace = new Pace(world, 1_000)
        const one = async () => {
          for (const batch of batches) await pace.take(batch)
        }
        const all = 2 * batches.reduce((sum, batch) => sum + batch, 0)
        const took = await played(world, Promise.all([one(), one()]))
        // the last may begin when all before it have had their time, and twenty may pass before the first
        assert.ok(took >= all - 2 * Math.max(...batches) - 20 && took <= all, `${took} ms for ${all}`)
      }),
      { numRuns: 30 },
    )
  })

  test('makes up for a late timer, and not for a long rest', async () => {
    const world = new FakeWorld()
    const pace = new Pace(world, 1_000)
    await pace.take(100)
    world.advance(110)
    await pace.take(100)
    assert.equal(world.timers, 0)
    world.advance(5_000)
    await pace.take(100)
    void pace.take(100)
    assert.deepEqual(world.delays, [80])
  })

  test('without a limit waits for nothing', async () => {
    const world = new FakeWorld()
    const pace = new Pace(world, Number.POSITIVE_INFINITY)
    for (let each = 0; each < 100; each += 1) await pace.take(1_000)
    assert.equal(world.timers, 0)
  })
})
