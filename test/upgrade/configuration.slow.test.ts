/** The configuration is swapped while an upgrade runs, and between upgrades: what is taken, what is refused and why, what is an order. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freePorts } from '../kit/free-ports.ts'
import { metric, untilAllServe } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { until } from '../kit/until.ts'
import { isAlive } from './kit/killed.ts'
import { startRun } from './kit/upgrade-run.ts'
import { assertKept } from './kit/verdict.ts'
import { manualSteps, walkTo } from './kit/walk.ts'

describe('a configuration swapped while an upgrade runs', () => {
  test('routes are taken; stable edited, and a version of the upgrade gone, are refused with the reason; the upgrade goes on', async () => {
    await using run = await startRun()
    const { upgrade } = await run.order('upgrade', { to: 'v2', plan: 'manual' })
    await walkTo(run, 2)
    assert.equal(
      await run.reconfigure((config) => void config.routes.unshift({ name: 'tester', match: { headers: { 'x-me': '1' } }, to: 'v2' })),
      '',
    )
    const { headers } = await send({ port: run.baton.publicPort, path: '/who', headers: { 'x-me': '1' } })
    assert.equal(headers['x-served-by'], 'v2')
    assert.equal((await run.upgrade()).step, 2)
    const edited = await run.reconfigure((config) => (config.stable = 'v2'))
    assert.match(edited, new RegExp(`upgrade ${upgrade?.id} is under way`))
    const gone = await run.reconfigure((config) => {
      config.stable = 'v1'
      config.routes = []
      delete config.versions.v2
    })
    assert.match(gone, new RegExp(`upgrade ${upgrade?.id} needs v2`))
    assert.ok((await metric(run.baton, 'baton_config_rejected_total')) >= 2)
    for (let step = 2; step < manualSteps.length; step++) await run.order('promote')
    await run.reaches('done')
    await run.served()
    assertKept(await run.verdict())
  })
})

describe('stable in the configuration', () => {
  test('edited outside an upgrade is an order; unchanged it is none, even after an upgrade has moved stable', async () => {
    await using run = await startRun()
    await run.order('upgrade', { to: 'v2', plan: 'quick' })
    await run.reaches('done')
    // read again, with another route, and the same stable as ever
    assert.equal(await run.reconfigure((config) => void config.routes.push({ name: 'more', match: { path: '/more' }, to: 'stable' })), '')
    await run.served()
    assert.equal((await run.status()).roles.stable, 'v2')
    // v2 and back to v1: an order each time, though v1 is retired and has to be started
    assert.equal(await run.reconfigure((config) => (config.stable = 'v2')), '')
    assert.equal((await run.status()).roles.stable, 'v2')
    assertKept(await run.verdict())
    assert.equal(await run.reconfigure((config) => (config.stable = 'v1')), '')
    await until(
      async () => (await run.status()).roles.stable === 'v1',
      () => run.baton.output(),
    )
    await run.baton.ready()
    assert.equal((await send({ port: run.baton.publicPort, path: '/who' })).headers['x-served-by'], 'v1')
  })

  test('edited to a version that was drained by an order makes it serve again', async () => {
    await using run = await startRun({ config: { candidate: 'v2' } })
    await untilAllServe(run.baton)
    await run.order('drain', { version: 'v2' })
    assert.equal(await run.reconfigure((config) => (config.stable = 'v2')), '')
    await run.baton.ready()
    await run.served()
    assert.equal((await send({ port: run.baton.publicPort, path: '/who' })).headers['x-served-by'], 'v2')
  })
})

describe('versions of the configuration', () => {
  test('a third one, added while v1 and v2 are there, is upgraded to', async () => {
    await using run = await startRun()
    await run.order('upgrade', { to: 'v2', plan: 'quick' })
    await run.reaches('done')
    const [port] = await freePorts(1)
    const added = await run.reconfigure((config) => {
      const { v2 } = config.bootstrap.processes as Record<string, { env: object }>
      config.bootstrap.processes.v3 = { ...v2, port, env: { ...v2?.env, VERSION: 'v3' } }
      config.versions.v3 = { process: 'v3' }
    })
    assert.equal(added, '')
    const old = await run.pid('v2')
    await run.order('upgrade', { to: 'v3', plan: 'quick' })
    await run.reaches(({ phase, to }) => phase === 'done' && to === 'v3')
    await run.served()
    assertKept(await run.verdict())
    assert.equal(isAlive(old), false)
    assert.equal((await run.status()).roles.stable, 'v3')
  })
})
