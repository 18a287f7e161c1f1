/**
 * Whether the model check finds anything: the cache with one rule left out, each (`model/variants.ts`). How often each is found in one run of
 * four seconds is in bench/cache-check.md (`node test/cache/model/table.ts`); here a few runs must find it.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { needs } from '../kit/packages.ts'
import { runModel } from './model/run.ts'
import { brokenNames, delayFor } from './model/variants.ts'

const rounds = 16

describe('the model check finds a cache', { skip: needs('redis-server') }, () => {
  for (const broken of brokenNames)
    test(`with ${broken}`, async () => {
      for (let seed = 1; seed <= rounds; seed++) {
        const plan = { seed, seconds: 4, by: 'broadcast', delayMs: delayFor(broken), stalenessMs: 250, broken, restarts: 0 } as const
        const { violations } = await runModel(plan)
        if (violations.length > 0) return
      }
      assert.fail(`nothing found in ${rounds} runs`)
    })
})
