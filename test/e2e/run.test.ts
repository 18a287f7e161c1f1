/** `baton run` with the example's app: what it leaves behind, what its lock says, and an app that is not there. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nodePath, startBaton } from '../kit/baton.ts'
import { statusOf } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { until } from '../kit/until.ts'

const app = fileURLToPath(new URL('../../examples/app/app.ts', import.meta.url))

const managed = {
  bootstrap: { processes: { v1: { command: [nodePath, app], port: 0, env: { APP_VERSION: 'v1' } } } },
  versions: { v1: { process: 'v1' } },
  stable: 'v1',
  health: { http: '/healthz', interval: '1s' },
}

describe('baton run', () => {
  test('serves, and SIGTERM ends it in order: exit 0, no process, socket or lock left', async () => {
    await using baton = await startBaton({ config: managed })
    await baton.ready()
    assert.equal((await send({ port: baton.publicPort, path: '/api/hello' })).status, 200)
    assert.deepEqual(await baton.stop(), { code: 0, signal: null })
    assert.deepEqual(baton.alive(), [])
    assert.equal(existsSync(baton.adminSocket), false)
    assert.equal(existsSync(join(baton.dir, '.baton/lock')), false)
  })

  test('an app that cannot be started is reported, and baton serves on', async () => {
    const processes = { v1: { command: ['/no/such/app'], port: 0 } }
    await using baton = await startBaton({ config: { ...managed, bootstrap: { processes } } })
    await until(
      () => /ENOENT/.test(baton.output()),
      () => baton.output(),
    )
    assert.equal((await send({ port: baton.publicPort, path: '/api/hello' })).status, 503)
    assert.ok(!baton.output().includes('    at '), 'no stack trace')
  })

  test('the lock names keeper and generation', async () => {
    await using baton = await startBaton({ config: managed })
    const lock = JSON.parse(readFileSync(join(baton.dir, '.baton/lock'), 'utf8'))
    const { pid, keeperPid } = (await statusOf(baton)).baton
    assert.deepEqual([lock.keeper.pid, lock.generation.pid], [keeperPid, pid])
    assert.equal(keeperPid, baton.keeperPid)
  })
})
