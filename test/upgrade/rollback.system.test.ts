/** `baton rollback` at every place of an upgrade: one change of route, and nobody notices. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../kit/until.ts'
import { isAlive } from './kit/killed.ts'
import { assertTold } from './kit/told.ts'
import { startRun } from './kit/upgrade-run.ts'
import { assertKept } from './kit/verdict.ts'
import { manualSteps, servedBySince, walkTo } from './kit/walk.ts'

describe('a rollback by hand', () => {
  for (const [step, name] of manualSteps.entries()) {
    test(`in the step ${name}: from its answer on v1 alone serves, and v2 is stopped`, async () => {
      await using run = await startRun()
      await run.order('upgrade', { to: 'v2', plan: 'manual' })
      await walkTo(run, step)
      const pid = await run.pid('v2')
      await run.order('rollback')
      const from = performance.now()
      const { why } = await run.reaches('rolled-back')
      assert.equal(why?.code, 'ordered')
      await run.served()
      assertKept(await run.verdict())
      assert.deepEqual(Object.keys(servedBySince(run, from)), ['v1'])
      assert.equal(isAlive(pid), false)
      assert.equal((await run.status()).roles.stable, 'v1')
      const { cut, failed } = await assertTold(run, 'rolled-back')
      assert.deepEqual([cut, failed], [0, 0])
    })
  }

  test('while v2 still starts: it is stopped before it ever served', async () => {
    await using run = await startRun({ apps: { v2: { START_DELAY_MS: '60000' } } })
    await run.order('upgrade', { to: 'v2', plan: 'quick' })
    await run.reaches('health-check')
    const pid = await run.pid('v2')
    await run.order('rollback')
    await run.reaches('rolled-back')
    await run.served()
    assertKept(await run.verdict())
    assert.deepEqual(Object.keys(servedBySince(run, 0)), ['v1'])
    assert.equal(isAlive(pid), false)
  })

  test('after commit while v1 drains: v1 takes everything back, and v2 drains in its place', async () => {
    await using run = await startRun({ config: { drain: { grace: '6s', deadline: '6s' } } })
    const long = fetch(`http://127.0.0.1:${run.baton.publicPort}/slow?ms=4000`)
    await run.order('upgrade', { to: 'v2', plan: 'at-once' })
    await run.reaches('stop-old')
    await run.order('rollback')
    await until(
      async () => (await run.status()).roles.stable === 'v1',
      () => run.baton.output(),
    )
    const from = performance.now()
    await run.reaches('rolled-back')
    await run.served()
    assert.equal((await long).status, 200)
    assertKept(await run.verdict())
    assert.deepEqual(Object.keys(servedBySince(run, from)), ['v1'])
    assert.equal((await run.status()).roles.stable, 'v1')
  })

  test('after commit while v1 is being stopped: v1 takes over when it is ready, anew unless it was not told to stop yet', async () => {
    await using run = await startRun({ apps: { v1: { STOP_DELAY_MS: '1000' } } })
    await run.order('upgrade', { to: 'v2', plan: 'manual' })
    await walkTo(run, 4)
    const [old, fresh] = [await run.pid('v1'), await run.pid('v2')]
    await run.order('promote')
    await run.reaches((upgrade) => upgrade.todo === 'stop')
    await run.order('rollback')
    await run.reaches('rolled-back')
    await run.served()
    assertKept(await run.verdict())
    // the order may come between the journal's line and the signal: then the process is the same one
    assert.equal(isAlive(old), (await run.pid('v1')) === old)
    assert.equal(isAlive(fresh), false)
  })

  test('to a warm spare: v1 was kept alive after done, and serves again at once', async () => {
    const plans = { spare: { steps: [{ bake: true, for: '100ms' }], retireAfter: '10m' } }
    await using run = await startRun({ config: { plans } })
    const pid = await run.pid('v1')
    await run.order('upgrade', { to: 'v2', plan: 'spare' })
    await run.reaches('done')
    await run.served()
    await run.order('rollback')
    const from = performance.now()
    await run.served()
    assertKept(await run.verdict())
    assert.deepEqual(Object.keys(servedBySince(run, from)), ['v1'])
    assert.equal(await run.pid('v1'), pid)
    assert.equal((await run.status()).roles.stable, 'v1')
  })

  test('to a warm spare whose time has passed: refused, and v1 is stopped', async () => {
    const plans = { spare: { steps: [{ bake: true, for: '0s' }], retireAfter: '300ms' } }
    await using run = await startRun({ config: { plans } })
    const pid = await run.pid('v1')
    await run.order('upgrade', { to: 'v2', plan: 'spare' })
    await run.reaches('done')
    while (isAlive(pid)) await run.served(10)
    assert.match(await run.refused('rollback'), /no warm spare is left/)
    assertKept(await run.verdict())
  })
})
