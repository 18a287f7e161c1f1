/** A legacy app at its real pace: 20 s to its port (`SOAK_START_SECONDS`), no health endpoint, no SIGTERM; upgraded and taken back by the defaults. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAlive } from '../upgrade/kit/killed.ts'
import { startRun } from '../upgrade/kit/upgrade-run.ts'
import { assertKept } from '../upgrade/kit/verdict.ts'
import { servedBySince } from '../upgrade/kit/walk.ts'
import { record } from './record.ts'

const startSeconds = Number(process.env.SOAK_START_SECONDS ?? 20)
const limitMs = startSeconds * 1_000 + 60_000

test(`an app that takes ${startSeconds} s to start: there and back under load, by the default health, drain and plan`, async () => {
  const apps = { v1: { LEGACY: '1' }, v2: { LEGACY: '1', START_DELAY_MS: String(startSeconds * 1_000) } }
  await using run = await startRun({ apps, config: { health: undefined, drain: undefined } })
  const old = await run.pid('v1')
  await run.order('upgrade', { to: 'v2' })
  await run.reaches('done', limitMs + 15 * 60_000)
  assert.equal(isAlive(old), false)
  const fresh = await run.pid('v2')
  await run.order('upgrade', { to: 'v1', plan: 'at-once' })
  await run.reaches((upgrade) => upgrade.to === 'v1' && upgrade.phase === 'done', limitMs)
  const from = performance.now()
  await run.served()
  const verdict = await run.verdict()
  record('A legacy app', {
    'seconds to start': startSeconds,
    'requests answered': verdict.answered,
    'failed or cut': verdict.sent - verdict.answered,
  })
  assertKept(verdict)
  assert.deepEqual(Object.keys(servedBySince(run, from)), ['v1'])
  assert.equal(isAlive(fresh), false)
})
