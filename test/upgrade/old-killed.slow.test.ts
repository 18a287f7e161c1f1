/** kill -9 of the old version while the new one is candidate: it is started again, and the upgrade goes on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../kit/until.ts'
import { killed } from './kit/killed.ts'
import { startRun } from './kit/upgrade-run.ts'
import { assertKeptBut, isLostAt, isRefusedBefore } from './kit/verdict.ts'
import { manualSteps, walkTo } from './kit/walk.ts'

const canary = { name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate', fallback: 'stable' }
/** Whoever wants v2 to stand in for v1 says so. */
const standIn = { name: 'rest', to: 'stable', fallback: 'candidate' }

describe('v1 is killed with -9', () => {
  for (const [step, name] of manualSteps.entries()) {
    test(`in the step ${name}, v2 its fallback: only POSTs already sent to it fail`, async () => {
      await using run = await startRun({ config: { routes: [canary, standIn] } })
      await run.order('upgrade', { to: 'v2', plan: 'manual' })
      await walkTo(run, step)
      const old = await run.pid('v1')
      await killed(old)
      await run.served()
      for (let at = step; at < manualSteps.length; at++) await run.order('promote')
      await run.reaches('done')
      await run.served()
      assertKeptBut(await run.verdict(), isLostAt('v1'))
    })
  }

  test('in the step 50, without a fallback: its share is refused with 503 until it is back, and nothing else fails', async () => {
    await using run = await startRun()
    await run.order('upgrade', { to: 'v2', plan: 'manual' })
    await walkTo(run, 2)
    const old = await run.pid('v1')
    await killed(old)
    await until(
      async () => (await run.status()).versions.some(({ name, serving, process }) => name === 'v1' && serving && process?.restarts === 1),
      () => run.baton.output(),
    )
    const backAt = performance.now()
    assert.equal((await run.upgrade()).step, 2)
    for (let at = 2; at < manualSteps.length; at++) await run.order('promote')
    await run.reaches('done')
    const isGap = isRefusedBefore(backAt)
    assertKeptBut(await run.verdict(), (lost) => isGap(lost) || isLostAt('v1')(lost))
  })
})
