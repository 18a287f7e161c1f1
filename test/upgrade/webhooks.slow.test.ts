/** An upgrade that tells of itself: to one who listens, one who is down and one who hangs; neither the traffic nor the upgrade notices. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSigned, EventReceiver } from '../kit/event-receiver.ts'
import { freePort } from '../kit/free-ports.ts'
import { logged, metric } from '../kit/observed.ts'
import { until } from '../kit/until.ts'
import { startRun } from './kit/upgrade-run.ts'
import { assertKept } from './kit/verdict.ts'

const secret = 'sixteen letters and more'

test('an upgrade under load tells its webhooks, and is kept by none of them', async () => {
  await using good = await EventReceiver.listen()
  await using hanging = await EventReceiver.listen()
  hanging.answer = () => undefined
  await using run = await startRun()
  writeFileSync(join(run.dir, 'ops.secret'), secret, { mode: 0o600 })
  const hook = (port: number, events?: readonly string[]) => ({
    url: `http://127.0.0.1:${port}/t/hunter2`,
    secretFile: 'ops.secret',
    events,
  })
  const webhooks = {
    good: hook(good.port, ['upgrade.phase', 'upgrade.concluded']),
    down: hook(await freePort()),
    hanging: hook(hanging.port),
  }
  // a reload adds them, without a restart
  assert.equal(await run.reconfigure((config) => Object.assign(config.bootstrap, { webhooks })), '')
  await run.order('upgrade', { to: 'v2', plan: 'quick' })
  await run.reaches('done')
  await run.served()
  assertKept(await run.verdict())
  await until(
    () => good.names.includes('upgrade.concluded'),
    () => `told: ${good.names}`,
  )
  assert.deepEqual(
    good.told.map(({ event }) => event.phase),
    ['precheck', 'start-new', 'health-check', 'warm', 'shift', 'stop-old', 'done', 'done'],
  )
  const [id] = new Set(good.told.map(({ event }) => event.upgrade_id))
  assert.equal(id, (await run.upgrade()).id)
  for (const one of good.told) assertSigned(one, secret)
  assert.equal(await metric(run.baton, 'baton_webhook_deliveries_total', { webhook: 'good', outcome: 'delivered' }), good.told.length)
  assert.ok((await metric(run.baton, 'baton_webhook_deliveries_total', { webhook: 'down', outcome: 'retried' })) > 0)
  assert.equal(logged(run.baton, 'webhook.failing').filter(({ webhook }) => webhook === 'down').length, 1)
  assert.doesNotMatch(JSON.stringify(await run.baton.admin('GET', '/v1/config')), /hunter2|secret/)
  assert.equal((await run.baton.stop()).code, 0)
  assert.doesNotMatch(run.baton.output(), /hunter2|sixteen letters/)
})
