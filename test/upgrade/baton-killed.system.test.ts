/**
 * kill -9 of baton's generation in every place of an upgrade: the next one reads the journal, finds the apps, and ends what was begun.
 * Lost is what was under way over connections that the dead one had accepted; no connection is refused.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertEnded } from './kit/ended.ts'
import { killedAs } from './kit/journal.ts'
import { places, reachPlace, shiftSteps, startAt } from './kit/places.ts'
import { assertTold } from './kit/told.ts'
import { assertKeptBut, isLostWith } from './kit/verdict.ts'

const everywhere = [...places, ...shiftSteps.filter((step) => !places.includes(step))]

describe("baton's generation is killed with -9", { concurrency: 2 }, () => {
  for (const place of everywhere) {
    test(`in ${place.name}: it comes back and the upgrade ends ${place.ends}`, async () => {
      await using run = await startAt(place)
      const first = (await run.status()).baton.pid
      const before = await reachPlace(run, place)
      const diedAt = await killedAs(run, place.as)
      await run.baton.ready()
      await place.goOn?.(run)
      await run.reaches(place.ends)
      await run.served()
      assertKeptBut(await run.verdict(), isLostWith(diedAt))
      assert.notEqual((await run.status()).baton.pid, first)
      await assertTold(run, place.ends)
      await assertEnded(run, place, before)
    })
  }
})
