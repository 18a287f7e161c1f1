/** Apps that know nothing of being upgraded: no health endpoint, no SIGTERM, and a start that takes long. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { logged } from '../kit/observed.ts'
import { isAlive } from './kit/killed.ts'
import { startRun } from './kit/upgrade-run.ts'
import { assertKept } from './kit/verdict.ts'

/** Nothing said of health and drain: TCP probes, and what is the default. */
const defaults = { health: undefined, drain: undefined }

describe('a legacy app under load', () => {
  test('without health endpoint and SIGTERM, that takes long to start, is upgraded with nothing configured', async () => {
    const legacy = { LEGACY: '1', START_DELAY_MS: '2000' }
    await using run = await startRun({ apps: { v1: legacy, v2: legacy }, config: defaults })
    const old = await run.pid('v1')
    await run.order('upgrade', { to: 'v2', plan: 'at-once' })
    await run.reaches('health-check')
    await run.reaches('done')
    await run.served()
    assertKept(await run.verdict())
    assert.equal(isAlive(old), false)
  })

  test('that ignores SIGTERM is killed after its stopTimeout, when nothing is left at it', async () => {
    await using run = await startRun({ apps: { v1: { DEAF: '1' } }, process: { v1: { stopTimeout: '300ms' } } })
    const old = await run.pid('v1')
    await run.order('upgrade', { to: 'v2', plan: 'at-once' })
    await run.reaches('done')
    await run.served()
    assertKept(await run.verdict())
    assert.equal(isAlive(old), false)
    assert.equal(logged(run.baton, 'process.killed').length, 1)
    assert.equal(run.facts().filter(({ fact }) => fact === 'deaf').length, 1)
  })
})
