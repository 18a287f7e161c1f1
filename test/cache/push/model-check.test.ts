/** `SEEDS=100 npm test -- cache/push/model-check --test-timeout=3600000` for longer, and for how often each variant is found. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { needs } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { runModel, variants } from './model.ts'

const given = Number(process.env.SEEDS ?? 0)
/** Each network once. */
const seeds = Array.from({ length: given || 3 }, (_, at) => at + 1)
/** A variant that these do not show is one that the check does not find. */
const variantSeeds = Array.from({ length: given || 24 }, (_, at) => at + 1)

describe('push, whatever happens on the way', { skip: needs('redis-server') }, () => {
  let redis: Redis
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis[Symbol.asyncDispose]())

  test('no read is too old, past its TTL or older than an own write, and after quiet all hold the same', async (t) => {
    let hits = 0
    for (const seed of seeds) {
      const outcome = await runModel(redis.port, seed)
      t.diagnostic(`seed ${seed}: ${outcome.hits} hits in ${outcome.reads} reads, ${outcome.resyncs} resyncs`)
      assert.deepEqual(outcome.violations, [], `seed ${seed}`)
      hits += outcome.hits
    }
    assert.ok(hits > 0, 'nothing was ever answered from the map')
  })

  for (const [name, variant] of Object.entries(variants)) {
    test(`it finds out: ${name}`, async (t) => {
      let found = 0
      for (const seed of variantSeeds) {
        const { violations } = await runModel(redis.port, seed, variant)
        if (violations.length > 0) found += 1
        if (found > 0 && given === 0) return t.diagnostic(`seed ${seed}: ${violations[0]}`)
      }
      t.diagnostic(`found in ${found} of ${variantSeeds.length}`)
      assert.ok(found > 0)
    })
  }
})
