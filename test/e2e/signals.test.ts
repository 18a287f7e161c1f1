/** Signals at awkward moments. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBaton } from '../kit/baton.ts'
import { askWho } from '../kit/load.ts'
import { logged, statusOf, untilProbe } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { managedApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const config = {
  bootstrap: { processes: { v1: { ...managedApp('v1'), stopTimeout: '2s' } } },
  versions: { v1: { process: 'v1' } },
  stable: 'v1',
  health: { http: '/healthz', fastInterval: '50ms' },
}

describe('signals', () => {
  test('SIGTERM while the app still starts ends baton in order', async () => {
    await using baton = await startBaton({ config })
    assert.deepEqual(await baton.stop(), { code: 0, signal: null })
    assert.deepEqual(baton.alive(), [])
  })

  test('SIGTERM while an app crashes over and over ends baton in order', async () => {
    const processes = { v1: { command: ['/bin/sh', '-c', 'exit 1'], port: 0 } }
    await using baton = await startBaton({ config: { ...config, bootstrap: { processes } } })
    await until(
      () => logged(baton, 'process.exited').length >= 2,
      () => baton.output(),
    )
    assert.deepEqual(await baton.stop(), { code: 0, signal: null })
    assert.deepEqual(baton.alive(), [])
  })

  test('SIGTERM to the generation alone is the whole ordered end', async () => {
    await using baton = await startBaton({ config })
    await untilProbe(baton, 'ready', 'v1')
    const slow = send({ port: baton.publicPort, path: '/slow?ms=2000' })
    await until(
      async () => (await statusOf(baton)).versions[0]?.inFlight === 1,
      () => 'not under way',
    )
    process.kill((await statusOf(baton)).baton.pid, 'SIGTERM')
    await until(
      () =>
        send({ port: baton.publicPort, path: '/who' }).then(
          () => false,
          (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
        ),
      () => 'still accepting',
    )
    assert.equal((await statusOf(baton)).baton.leaving, true, 'not before the end')
    assert.equal((await slow).status, 200)
    assert.deepEqual(await baton.exit, { code: 0, signal: null })
    assert.deepEqual(baton.alive(), [])
  })

  test('a generation that dies in its ordered end is not followed by another', async () => {
    await using baton = await startBaton({ config })
    await untilProbe(baton, 'ready', 'v1')
    const hanging = send({ port: baton.publicPort, path: '/hang' }).catch((error: NodeJS.ErrnoException) => error.code)
    await until(
      async () => (await statusOf(baton)).versions[0]?.inFlight === 1,
      () => 'not under way',
    )
    const { pid } = (await statusOf(baton)).baton
    process.kill(pid, 'SIGTERM')
    await until(
      () => logged(baton, 'baton.leaving').length === 1,
      () => baton.output(),
    )
    process.kill(pid, 'SIGKILL')
    assert.equal(await hanging, 'ECONNRESET')
    assert.deepEqual(await baton.exit, { code: 1, signal: null })
    assert.deepEqual(baton.alive(), [])
  })

  test('a second SIGTERM cuts what is under way at once: exit 1, nothing left', async () => {
    await using baton = await startBaton({ config })
    await untilProbe(baton, 'ready', 'v1')
    const hanging = send({ port: baton.publicPort, path: '/hang' }).then(
      ({ status }) => status,
      (error: NodeJS.ErrnoException) => error.code,
    )
    await until(
      async () => (await statusOf(baton)).versions[0]?.inFlight === 1,
      () => 'not under way',
    )
    baton.kill('SIGTERM')
    await until(
      () => logged(baton, 'baton.leaving').length === 1,
      () => baton.output(),
    )
    await sleep(600) // The signals' distance is the input here.
    baton.kill('SIGTERM')
    assert.deepEqual(await baton.exit, { code: 1, signal: null })
    assert.deepEqual(baton.alive(), [])
    assert.notEqual(await hanging, 200)
  })

  test('a storm of SIGHUP, SIGUSR1 and SIGUSR2 under load changes nothing', async () => {
    await using baton = await startBaton({ config })
    await untilProbe(baton, 'ready', 'v1')
    await using load = askWho(baton.publicPort, 4)
    const before = await statusOf(baton)
    for (let n = 0; n < 60; n++) {
      baton.kill((['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)[n % 3] ?? 'SIGHUP')
      const then = load.answered()
      await until(
        () => load.answered() > then,
        () => 'no answers',
      )
    }
    const { wrong, errors, connections } = await load.stop()
    assert.deepEqual([wrong, errors, connections], [[], {}, 4])
    const after = await statusOf(baton)
    assert.deepEqual([after.baton.pid, after.config.revision], [before.baton.pid, before.config.revision])
  })

  test('an app that is frozen is found by its probes, and is well again when it is thawed', async () => {
    await using baton = await startBaton({ config: { ...config, health: { ...config.health, interval: '200ms', timeout: '200ms' } } })
    await untilProbe(baton, 'ready', 'v1')
    const pid = (await statusOf(baton)).versions[0]?.process?.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    await untilProbe(baton, 'not-ready', 'v1')
    assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 503)
    process.kill(pid, 'SIGCONT')
    await untilProbe(baton, 'ready', 'v1')
    assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
    process.kill(pid, 'SIGSTOP')
    // SIGTERM does not reach it: it is killed after its stop timeout
    const stopped = baton.stop()
    assert.equal((await stopped).code, 0)
    assert.deepEqual(baton.alive(), [])
  })
})
