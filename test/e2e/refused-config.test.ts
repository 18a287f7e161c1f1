/** A configuration that is refused changes nothing, and everyone who asks is told why. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { startBaton } from '../kit/baton.ts'
import { logged, metric, statusOf } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { startTestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

describe('a refused configuration', () => {
  test('from the file: the old one serves, all faults are in status, log and metrics; the right one clears them', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1' } })
    await baton.ready()
    const before = (await statusOf(baton)).config
    writeFileSync(baton.configFile, 'versions: { v1: { url: "htp://x" } }\nstable: v9\nroutez: []\n')
    baton.kill('SIGHUP')
    await until(
      async () => (await statusOf(baton)).config.lastFault !== null,
      () => baton.output(),
    )
    const { lastFault, revision, hash } = (await statusOf(baton)).config
    assert.deepEqual([revision, hash], [before.revision, before.hash])
    assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
    for (const expected of [
      /baton\.yaml:1:\d+ versions\.v1\.url: /,
      /baton\.yaml:2:9 stable: .*"v9"/,
      /baton\.yaml:3:1 routez: .*routes/,
    ]) {
      assert.ok(
        lastFault?.faults.some((fault) => expected.test(fault)),
        `${expected} in ${lastFault?.faults}`,
      )
    }
    assert.deepEqual(logged(baton, 'config.rejected')[0]?.faults, lastFault?.faults)
    assert.ok((await metric(baton, 'baton_config_rejected_total', { source: 'file' })) >= 2)
    writeFileSync(baton.configFile, `${JSON.stringify({ ...JSON.parse(baton.config), servedBy: false })}`)
    baton.kill('SIGHUP')
    await until(
      async () => (await statusOf(baton)).config.lastFault === null,
      () => baton.output(),
    )
    assert.equal((await statusOf(baton)).config.revision, before.revision + 1)
  })

  test('from PUT: 422 with the faults, and the file is as it was', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1' } })
    const answer = await baton.admin('PUT', '/v1/config', 'versions: { v1: { url: http://10.0.0.1:80 } }\nstable: v1\nbootstrap: {}\n')
    assert.equal(answer.status, 422)
    const { error } = JSON.parse(answer.body) as { error: { code: string; message: string; faults: readonly { path: string }[] } }
    assert.equal(error.code, 'config')
    assert.deepEqual(new Set(error.faults.map(({ path }) => path)), new Set(['bootstrap', 'versions.v1.url']))
    assert.equal((await baton.admin('GET', '/v1/config')).status, 200)
    assert.equal((await statusOf(baton)).config.revision, 1)
    assert.equal(await metric(baton, 'baton_config_revision'), 1)
    assert.ok((await metric(baton, 'baton_config_rejected_total', { source: 'api' })) >= 1)
  })
})
