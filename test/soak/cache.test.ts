/**
 * The model check of `test/cache/model-check.test.ts` for longer, with Redis killed and started again, empty, amid it: ROUNDS of SECONDS (20 of
 * 60), from SEED on; without it from one of chance. The seed of each is in the name of its test.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { runModel } from '../cache/model/run.ts'
import { needs } from '../kit/packages.ts'
import { record } from './record.ts'

const rounds = Number(process.env.ROUNDS ?? 20)
const seconds = Number(process.env.SECONDS ?? 60)
const first = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const restarts = 3

describe('the cache of two versions, through faults', { skip: needs('redis-server') }, () => {
  const total = { reads: 0, hits: 0, losses: 0, wrong: 0, oldestMs: 0 }

  after(() => {
    record('The coherence of the cache', {
      seeds: `${first} to ${first + rounds - 1}`,
      'seconds of each': seconds,
      'restarts of Redis, together': rounds * restarts,
      'losses of the source': total.losses,
      'reads, each judged by value and age': total.reads,
      'of these answered locally': total.hits,
      'older than S (250 ms), or than an own write': total.wrong,
      'oldest, ms': Math.round(total.oldestMs),
    })
  })

  for (let seed = first; seed < first + rounds; seed++)
    test(`seed ${seed}`, async () => {
      const by = seed % 2 === 0 ? 'broadcast' : 'keys'
      const delayMs = [1, 6, 25][seed % 3] ?? 6
      const plan = { seed, seconds, by, delayMs, stalenessMs: 250, broken: null, restarts } as const
      const { reads, hits, losses, worstAgeMs, violations, unequal } = await runModel(plan)
      total.wrong += violations.length
      total.reads += reads
      total.hits += hits
      total.losses += losses
      total.oldestMs = Math.max(total.oldestMs, worstAgeMs)
      assert.deepEqual(violations, [])
      assert.deepEqual(unequal, [])
    })
})
