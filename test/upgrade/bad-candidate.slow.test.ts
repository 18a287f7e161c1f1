/** A new version that is no good: it never comes up, or it dies. The old one serves on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { untilProbe } from '../kit/observed.ts'
import { killed } from './kit/killed.ts'
import { startRun } from './kit/upgrade-run.ts'
import { assertKept, assertKeptBut, isLostAt, isRefusedBefore } from './kit/verdict.ts'
import { manualSteps, walkTo } from './kit/walk.ts'

const impatient = { plans: { impatient: { steps: ['bake'], readyTimeout: '1s' } } }

describe('v2 never comes up: the upgrade is rolled back, and no request has noticed', () => {
  const cases = {
    'its process ends at once': { EXIT_CODE: '3' },
    'its process never listens': { START_DELAY_MS: '60000' },
    'its health never passes': { HEALTH: 'never' },
  }
  for (const [name, env] of Object.entries(cases)) {
    test(name, async () => {
      await using run = await startRun({ apps: { v2: env }, config: impatient })
      await run.order('upgrade', { to: 'v2', plan: 'impatient' })
      const { why } = await run.reaches('rolled-back')
      assert.equal(why?.code, 'not-ready-in-time')
      await run.served()
      assertKept(await run.verdict())
      const { roles, versions, idle } = await run.status()
      assert.deepEqual(roles, { stable: 'v1', candidate: null })
      assert.deepEqual([versions.map((version) => version.name), idle], [['v1'], ['v2']])
    })
  }

  test('its command is not there', async () => {
    await using run = await startRun({ process: { v2: { command: ['/no/such/program'] } }, config: impatient })
    await run.order('upgrade', { to: 'v2', plan: 'impatient' })
    await run.reaches('rolled-back')
    await run.served()
    assertKept(await run.verdict())
  })
})

describe('v2 is killed with -9', () => {
  test('in health-check: it is started again, and the upgrade goes on', async () => {
    await using run = await startRun({ apps: { v2: { START_DELAY_MS: '500' } } })
    await run.order('upgrade', { to: 'v2', plan: 'quick' })
    await run.reaches('health-check')
    await killed(await run.pid('v2'))
    await run.reaches('done')
    await run.served()
    assertKept(await run.verdict())
  })

  for (const [step, name] of manualSteps.entries()) {
    test(`in the step ${name}: rolled back; only POSTs already sent to it fail`, async () => {
      await using run = await startRun()
      await run.order('upgrade', { to: 'v2', plan: 'manual' })
      await walkTo(run, step)
      await killed(await run.pid('v2'))
      const { why } = await run.reaches('rolled-back')
      assert.deepEqual([why?.code, why?.detail], ['verdict', 'its process ended by itself'])
      await run.served()
      assertKeptBut(await run.verdict(), isLostAt('v2'))
      assert.deepEqual((await run.status()).roles, { stable: 'v1', candidate: null })
    })
  }

  test('in stop-old: frozen, v1 is not stopped, and `rollback` goes back to it', async () => {
    await using run = await startRun({ config: { drain: { grace: '10s', deadline: '10s' } }, apps: { v2: { START_DELAY_MS: '700' } } })
    const old = await run.pid('v1')
    const long = fetch(`http://127.0.0.1:${run.baton.publicPort}/slow?ms=6000`)
    await run.order('upgrade', { to: 'v2', plan: 'at-once' })
    await run.reaches('stop-old')
    await killed(await run.pid('v2'))
    const { frozen } = await run.reaches((upgrade) => typeof upgrade.frozen === 'object' && upgrade.frozen !== null)
    assert.equal(frozen?.code, 'candidate-lost')
    await run.order('rollback')
    await run.reaches('rolled-back')
    await run.served()
    assert.equal((await long).status, 200)
    const from = performance.now()
    await run.served()
    assert.equal(await run.pid('v1'), old)
    const verdict = await run.verdict()
    // v2 was stable, and for a moment nobody served
    const isGap = isRefusedBefore(from)
    assertKeptBut(verdict, (lost) => isGap(lost) || isLostAt('v2')(lost))
  })

  test('in stop-old: frozen, and `resume` goes on once it serves again', async () => {
    await using run = await startRun({ apps: { v1: { STOP_DELAY_MS: '5000' } } })
    await run.order('upgrade', { to: 'v2', plan: 'manual' })
    await walkTo(run, 4)
    await run.order('promote')
    await run.reaches((upgrade) => upgrade.todo === 'stop')
    await killed(await run.pid('v2'))
    const { frozen } = await run.reaches((upgrade) => typeof upgrade.frozen === 'object' && upgrade.frozen !== null)
    assert.equal(frozen?.code, 'candidate-lost')
    await untilProbe(run.baton, 'ready', 'v2')
    const from = performance.now()
    assert.notEqual((await run.upgrade()).phase, 'done')
    await run.order('resume')
    await run.reaches('done')
    await run.served()
    // v2 was stable, and until it came back nobody served
    const isGap = isRefusedBefore(from)
    assertKeptBut(await run.verdict(), (lost) => isGap(lost) || isLostAt('v2')(lost))
    assert.deepEqual((await run.status()).roles, { stable: 'v2', candidate: null })
  })
})
