/** kill -9 of keeper and generation: the apps live on, and the next `baton run` takes them over by pid, start time and boot id. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { logged, statusOf, untilProbe } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { managedApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const config = {
  bootstrap: { processes: { v1: managedApp('v1') } },
  versions: { v1: { process: 'v1' } },
  stable: 'v1',
  health: { http: '/healthz', fastInterval: '50ms', interval: '200ms' },
}

const appPid = async (baton: Baton) => (await statusOf(baton)).versions[0]?.process?.pid ?? null

/** Both at once; resolves when only the app is left. */
async function killBoth(baton: Baton): Promise<number> {
  await untilProbe(baton, 'ready', 'v1')
  const { pid } = (await statusOf(baton)).baton
  const app = await appPid(baton)
  assert.ok(app !== null)
  // what it knows of the app is on disk
  const state = join(baton.dir, '.baton/state.json')
  await until(
    () => readFileSync(state, 'utf8').includes(String(app)),
    () => readFileSync(state, 'utf8'),
  )
  baton.kill('SIGKILL')
  process.kill(pid, 'SIGKILL')
  await baton.exit
  await until(
    () => !baton.alive().includes(pid),
    () => `left: ${baton.alive()}`,
  )
  assert.ok(baton.alive().includes(app), 'the app lives on')
  return app
}

describe('after both keeper and generation were killed', () => {
  test('a new run takes the app over: the same process, ready at once, stopped in the end', async () => {
    await using first = await startBaton({ config })
    const app = await killBoth(first)
    await using next = await startBaton({ config: first.config, dir: first.dir })
    await next.ready()
    assert.equal((await send({ port: next.publicPort, path: '/who' })).status, 200)
    assert.equal(await appPid(next), app)
    assert.equal(logged(next, 'process.started').length, 0)
    assert.equal(logged(next, 'process.found').length, 1)
    assert.equal((await next.stop()).code, 0)
    assert.deepEqual(first.alive(), [], 'no orphan')
  })

  test('an app whose end nobody saw is started anew', async () => {
    await using first = await startBaton({ config })
    const app = await killBoth(first)
    process.kill(app, 'SIGKILL')
    await until(
      () => !first.alive().includes(app),
      () => `left: ${first.alive()}`,
    )
    await using next = await startBaton({ config: first.config, dir: first.dir })
    await untilProbe(next, 'ready', 'v1')
    const pid = await appPid(next)
    assert.ok(pid !== null && pid !== app)
    assert.equal((await next.stop()).code, 0)
  })

  test('an app that is taken over and ends is started anew', async () => {
    await using first = await startBaton({ config })
    const app = await killBoth(first)
    await using next = await startBaton({ config: first.config, dir: first.dir })
    await next.ready()
    process.kill(app, 'SIGKILL')
    await until(
      async () => ![null, app].includes(await appPid(next)),
      () => next.output(),
    )
    await untilProbe(next, 'ready', 'v1')
  })

  test('an app of a definition that is gone is stopped, and the port is its successor’s', async () => {
    await using first = await startBaton({ config })
    const app = await killBoth(first)
    const changed = first.config.replace(/("VERSION": ?"v1")/, '$1, "CHANGED": "1"')
    assert.notEqual(changed, first.config)
    await using next = await startBaton({ config: changed, dir: first.dir })
    await until(
      async () => ![null, app].includes(await appPid(next)),
      () => next.output(),
    )
    await untilProbe(next, 'ready', 'v1')
    assert.equal(logged(next, 'process.stray').length, 1)
    assert.ok(!next.alive().includes(app))
  })
})
