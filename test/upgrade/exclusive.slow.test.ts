/** Two versions that must not serve at once: requests wait while one goes and the other comes; and holding alone. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../kit/until.ts'
import { isAlive, killed } from './kit/killed.ts'
import { assertNeverTogether } from './kit/record.ts'
import { assertTold } from './kit/told.ts'
import { startRun, type UpgradeRun } from './kit/upgrade-run.ts'
import { assertKept } from './kit/verdict.ts'

const plans = { swap: { strategy: 'exclusive', readyTimeout: '1500ms' } }

/** The longest that a request has waited while it was held. */
function longestMs({ traffic }: UpgradeRun): number {
  return Math.max(...traffic.exchanges.filter(({ kind }) => kind !== 'slow').map(({ dueAt, endedAt }) => endedAt - dueAt))
}

describe('an exclusive upgrade under load', () => {
  test('no request fails, those that come meanwhile wait, and the two are never there at once', async () => {
    await using run = await startRun({ apps: { v2: { START_DELAY_MS: '400' } }, config: { plans } })
    await run.served()
    await run.order('upgrade', { to: 'v2', plan: 'swap' })
    await run.reaches('done')
    await run.served()
    assertKept(await run.verdict())
    assertNeverTogether(run.facts())
    await assertTold(run, 'done')
    assert.ok(longestMs(run) > 400, 'they waited while v2 started')
    assert.deepEqual(
      run
        .facts()
        .filter(({ fact }) => fact === 'started')
        .map(({ version }) => version),
      ['v1', 'v2'],
    )
  })

  for (const [name, env] of Object.entries({ 'ends at once': { EXIT_CODE: '3' }, 'never gets ready': { HEALTH: 'never' } })) {
    test(`one whose new version ${name} brings the old one back, and no request fails`, async () => {
      await using run = await startRun({ apps: { v2: env }, config: { plans } })
      const old = await run.pid('v1')
      await run.order('upgrade', { to: 'v2', plan: 'swap' })
      const { why } = await run.reaches('rolled-back')
      assert.equal(why?.code, 'not-ready-in-time')
      await run.served()
      assertKept(await run.verdict())
      assertNeverTogether(run.facts())
      assert.equal(isAlive(old), false)
      assert.equal((await run.status()).roles.stable, 'v1')
      assert.deepEqual(
        (await run.status()).versions.map((version) => version.name),
        ['v1'],
      )
    })
  }

  test('a rollback by hand while v1 is being stopped brings it back, and no request fails', async () => {
    await using run = await startRun({ apps: { v1: { STOP_DELAY_MS: '500' } }, config: { plans } })
    await run.order('upgrade', { to: 'v2', plan: 'swap' })
    await run.reaches(({ phase, todo }) => phase === 'stop-old' && todo === 'stop')
    await run.order('rollback')
    await run.reaches('rolled-back')
    await run.served()
    assertKept(await run.verdict())
    assertNeverTogether(run.facts())
  })

  test('a rollback by hand while v2 starts stops it first, and no request fails', async () => {
    await using run = await startRun({ apps: { v2: { START_DELAY_MS: '1000', STOP_DELAY_MS: '300' } }, config: { plans } })
    await run.order('upgrade', { to: 'v2', plan: 'swap' })
    await run.reaches('health-check')
    await run.order('rollback')
    await run.reaches('rolled-back')
    await run.served()
    assertKept(await run.verdict())
    assertNeverTogether(run.facts())
  })

  test('v2 killed with -9 while it starts is started again, and no request fails', async () => {
    await using run = await startRun({ apps: { v2: { START_DELAY_MS: '300' } }, config: { plans } })
    await run.order('upgrade', { to: 'v2', plan: 'swap' })
    await run.reaches('health-check')
    await killed(await run.pid('v2'))
    await run.reaches('done')
    await run.served()
    assertKept(await run.verdict())
    assertNeverTogether(run.facts())
  })
})

describe('hold and release alone', () => {
  test('baton ends while requests wait: they are let in and served, and none is reset', async () => {
    await using run = await startRun({ traffic: null })
    await run.order('hold')
    const held = Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${run.baton.publicPort}/who`))
    await until(
      async () => (await run.status()).baton.queued === held.length,
      () => run.baton.output(),
    )
    const exit = run.baton.stop()
    assert.deepEqual([...new Set((await Promise.all(held)).map(({ status }) => status))], [200])
    assert.equal((await exit).code, 0)
  })

  test('requests wait between them, and none fails; each said twice happens once', async () => {
    await using run = await startRun()
    assert.equal((await run.order('hold')).is, 'accepted')
    assert.equal((await run.order('hold')).is, 'unchanged')
    const answered = run.traffic.exchanges.length
    const { queued } = (await run.status()).baton
    await new Promise((resolve) => setTimeout(resolve, 400)) // nothing is to happen: there is no event to wait for
    assert.ok((await run.status()).baton.queued > queued)
    // what had been admitted before the hold may still end
    assert.ok(run.traffic.exchanges.length - answered < 40, `${run.traffic.exchanges.length - answered} were answered meanwhile`)
    assert.equal((await run.order('release')).is, 'accepted')
    await run.served(100)
    assert.equal((await run.order('release')).is, 'unchanged')
    assertKept(await run.verdict())
    assert.ok(longestMs(run) > 300)
  })
})
