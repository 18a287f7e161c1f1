/**
 * The coherence of the cache, by a randomised run against a real Redis: value and age of every read are judged (`model/judge.ts`), and what is
 * held after quiet. `SEEDS=7,8 SECONDS=20` for others and longer; with a seed of its own each run still differs by the machine's timing.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { needs } from '../kit/packages.ts'
import { runModel } from './model/run.ts'

const seconds = Number(process.env.SECONDS ?? 4)
const seeds = (process.env.SEEDS ?? '1,2,3,4').split(',').map(Number)

describe('each read through the gateways is neither too old nor older than an own write', { skip: needs('redis-server') }, () => {
  for (const seed of seeds) {
    // the one tells of a key once, the other each time; odd seeds run without active expiry
    const by = seed % 4 < 2 ? 'broadcast' : 'keys'
    test(`seed ${seed}, tracking by ${by}`, async (t) => {
      const { reads, hits, losses, worstAgeMs, violations, unequal } = await runModel({
        seed,
        seconds,
        by,
        delayMs: 2 * seed,
        stalenessMs: 250,
        broken: null,
        restarts: 0,
      })
      t.diagnostic(`${reads} reads, ${hits} answered locally, source lost ${losses} times, oldest ${Math.round(worstAgeMs)} ms`)
      assert.deepEqual(violations, [])
      assert.deepEqual(unequal, [])
      // else there was nothing to judge
      assert.ok(hits > reads / 50, `${hits} hits in ${reads} reads`)
    })
  }
})
