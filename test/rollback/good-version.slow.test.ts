/** A good version is not taken back, whatever the weather. (`npm run soak -- noisy` does it a hundred times.) */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startNoisyRun } from './kit/noise.ts'
import { assertServedBy } from './kit/rollback-run.ts'

for (const time of [1, 2, 3]) {
  test(`a good version under bursts, both at 1 % errors, is not taken back: ${time}`, async () => {
    await using run = await startNoisyRun('evenly')
    await run.served()
    const upgrade = await run.toTheEnd(60_000)
    assert.equal(upgrade.phase, 'done', JSON.stringify(upgrade))
    await assertServedBy(run, 'v2')
  })
}
