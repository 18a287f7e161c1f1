/** Orders: said twice they happen once, and what would cut all traffic off is refused. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { untilAllServe } from '../kit/observed.ts'
import { until } from '../kit/until.ts'
import { isAlive } from './kit/killed.ts'
import { startRun, type UpgradeRun } from './kit/upgrade-run.ts'
import { assertKept } from './kit/verdict.ts'
import { walkTo } from './kit/walk.ts'

async function orderOf(run: UpgradeRun, name: string): Promise<string | undefined> {
  return (await run.status()).versions.find((version) => version.name === name)?.order.is
}

async function twice(run: UpgradeRun, name: string, body?: unknown): Promise<void> {
  assert.equal((await run.order(name, body)).is, 'accepted', name)
  assert.equal((await run.order(name, body)).is, 'unchanged', `${name} again`)
}

describe('orders of an upgrade', () => {
  test('upgrade, pause, resume, rollback and a promote that says its step, said twice, happen once', async () => {
    await using run = await startRun()
    assert.match(await run.refused('promote'), /no upgrade is under way/)
    assert.match(await run.refused('rollback'), /no upgrade is under way/)
    await twice(run, 'upgrade', { to: 'v2', plan: 'manual' })
    await walkTo(run, 1)
    await twice(run, 'pause')
    await twice(run, 'promote', { step: 1 })
    assert.deepEqual([(await run.upgrade()).step, (await run.upgrade()).mode?.is], [2, 'paused'])
    await twice(run, 'resume')
    for (const [order, body] of [
      ['stable', { version: 'v2' }],
      ['hold'],
      ['drain', { version: 'v2' }],
      ['retire', { version: 'v1' }],
    ] as const) {
      assert.match(await run.refused(order, body), /upg-\d{8}-\w{4}/, order)
    }
    assert.equal((await run.order('rollback')).is, 'accepted')
    // still rolling back: unchanged; rolled back by then: there is nothing to roll back
    const again = await run.baton.admin('POST', '/v1/rollback')
    assert.ok([200, 409].includes(again.status), `${again.status} ${again.body}`)
    await run.reaches('rolled-back')
    assertKept(await run.verdict())
  })

  test('an upgrade to what is stable changes nothing; one to nowhere is unknown; a second one is refused', async () => {
    await using run = await startRun({ apps: { v3: {} } })
    assert.equal((await run.order('upgrade', { to: 'v1' })).is, 'unchanged')
    assert.equal((await run.baton.admin('POST', '/v1/upgrade', { to: 'v9' })).status, 404)
    assert.equal((await run.baton.admin('POST', '/v1/upgrade', { to: 'v2', plan: 'none' })).status, 404)
    await run.order('upgrade', { to: 'v2', plan: 'manual' })
    assert.match(await run.refused('upgrade', { to: 'v3' }), /under way/)
    await run.served()
    assertKept(await run.verdict())
  })

  test('stable moves all traffic at once, and said twice happens once', async () => {
    await using run = await startRun({ apps: { v2: { START_DELAY_MS: '1000' } }, config: { candidate: 'v2' } })
    assert.match(await run.refused('stable', { version: 'v2' }), /v2 is/)
    await untilAllServe(run.baton)
    await twice(run, 'stable', { version: 'v2' })
    await run.served()
    assertKept(await run.verdict())
    assert.equal((await run.status()).roles.stable, 'v2')
  })
})

describe('orders of one version', () => {
  test('drain, undrain and retire of one that is not stable, each said twice', async () => {
    await using run = await startRun({ config: { candidate: 'v2' } })
    await untilAllServe(run.baton)
    const pid = await run.pid('v2')
    await run.served()
    await twice(run, 'drain', { version: 'v2' })
    await until(
      async () => (await orderOf(run, 'v2')) === 'drained',
      () => run.baton.output(),
    )
    await run.served()
    assert.equal(isAlive(pid), true)
    await twice(run, 'undrain', { version: 'v2' })
    assert.equal(await orderOf(run, 'v2'), 'active')
    await run.served()
    await twice(run, 'retire', { version: 'v2' })
    await until(
      () => !isAlive(pid),
      () => run.baton.output(),
    )
    await run.served()
    assert.equal(await orderOf(run, 'v2'), undefined)
    await twice(run, 'undrain', { version: 'v2' })
    await until(
      async () => (await orderOf(run, 'v2')) === 'active',
      () => run.baton.output(),
    )
    assertKept(await run.verdict())
  })

  for (const order of ['drain', 'retire'] as const) {
    test(`${order} of stable is refused without force, and done with it`, async () => {
      await using run = await startRun()
      assert.match(await run.refused(order, { version: 'v1' }), /v1 is stable/)
      await run.served()
      assertKept(await run.verdict())
      const pid = await run.pid('v1')
      await run.order(order, { version: 'v1', force: true })
      const ended = order === 'drain' ? 'drained' : undefined
      await until(
        async () => (await orderOf(run, 'v1')) === ended,
        () => run.baton.output(),
      )
      if (order === 'retire')
        await until(
          () => !isAlive(pid),
          () => run.baton.output(),
        )
      // it stays so whatever is read anew, until it is taken back
      assert.equal(await run.reconfigure((config) => void config.routes.push({ name: 'more', match: { path: '/more' }, to: 'stable' })), '')
      assert.equal(await orderOf(run, 'v1'), ended)
      await run.order('undrain', { version: 'v1' })
      await run.baton.ready()
    })
  }
})
