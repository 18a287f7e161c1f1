/** A hundred good upgrades in bad weather: none is taken back. RUNS says how many. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startNoisyRun } from '../rollback/kit/noise.ts'
import { record } from './record.ts'

const runs = Number(process.env.RUNS ?? 100)

test(`${runs} good upgrades under bursts, both versions at 1 % errors: none is taken back`, async (context) => {
  const ends: string[] = []
  for (let count = 0; count < runs; count += 1) {
    await using run = await startNoisyRun('by chance')
    await run.served()
    const upgrade = await run.toTheEnd(120_000)
    ends.push('why' in upgrade ? `${upgrade.phase}: ${upgrade.why.detail}` : upgrade.phase)
    context.diagnostic(`${count + 1}: ${ends.at(-1)}`)
  }
  record('Good upgrades in bad weather', { upgrades: ends.length, done: ends.filter((end) => end === 'done').length })
  assert.deepEqual(
    ends.filter((end) => end !== 'done'),
    [],
  )
})
