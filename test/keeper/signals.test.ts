import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../kit/free-ports.ts'
import { until } from '../kit/until.ts'
import { type Seen, type Started, sleepApp, startKeeper } from './started.ts'

/** The processes of the generation and of an app are there, so that their end means something. */
async function withApp(keeper: Started): Promise<Seen> {
  await keeper.seen()
  await keeper.ask(sleepApp('v1'))
  return await until(
    async () => {
      const seen = await keeper.ask()
      return seen.apps.length === 1 ? seen : null
    },
    () => 'v1 does not start',
  )
}

describe('signals to the keeper', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} stops everything in order: exit 0, no process, no lock, no socket path left`, async () => {
      await using keeper = await startKeeper()
      await withApp(keeper)
      keeper.kill(signal)
      assert.deepEqual(await keeper.exit, { code: 0, signal: null })
      assert.deepEqual(keeper.alive(), [])
      assert.equal(existsSync(join(keeper.dir, 'state/lock')), false)
    })
  }

  test('unlinks its socket paths at the end', async () => {
    const port = await freePort()
    await using keeper = await startKeeper({ port, listeners: [{ name: 'public', host: '127.0.0.1', port }] })
    await using other = await startKeeper({
      dir: keeper.dir.concat('/other'),
      port,
      listeners: [{ name: 'admin', path: join(keeper.dir, 'admin.sock'), mode: 0o600 }],
      env: { TEST_GENERATION_EXIT: '0' },
    })
    await other.exit
    assert.equal(existsSync(join(keeper.dir, 'admin.sock')), false)
    await keeper.seen()
  })

  test('a second signal kills every group at once: exit 1', async () => {
    await using keeper = await startKeeper({ timing: { secondSignalMs: 100 } })
    await withApp(keeper)
    await keeper.ask({ is: 'deaf' })
    keeper.kill('SIGTERM')
    await until(
      async () => (await keeper.ask()).stops === 1,
      () => 'stop does not reach the generation',
    )
    await sleep(150) // The two signals must be that far apart: this is the input, not a wait for an outcome.
    keeper.kill('SIGTERM')
    assert.deepEqual(await keeper.exit, { code: 1, signal: null })
    assert.deepEqual(keeper.alive(), [])
    assert.match(keeper.output(), /second signal/)
  })

  test('a second signal right after the first is the same press of a key', async () => {
    await using keeper = await startKeeper({ timing: { secondSignalMs: 60_000 } })
    await withApp(keeper)
    await keeper.ask({ is: 'deaf' })
    keeper.kill('SIGINT')
    keeper.kill('SIGTERM')
    await until(
      async () => (await keeper.ask()).stops >= 1,
      () => 'stop does not reach the generation',
    )
    keeper.kill('SIGINT')
    keeper.kill('SIGUSR2') // Delivered after SIGINT, whose number is lower: once it is told of, SIGINT has been handled.
    await until(
      () => keeper.output().includes('SIGUSR2'),
      () => 'SIGUSR2 does not arrive',
    )
    assert.ok(!keeper.output().includes('second signal'))
    assert.equal((await keeper.ask()).stops, 1)
  })

  test('HUP is a reload when stdin is no terminal', async () => {
    await using keeper = await startKeeper()
    const { pid } = await keeper.seen()
    keeper.kill('SIGHUP')
    const seen = await until(
      async () => {
        const now = await keeper.ask()
        return now.reloads === 1 ? now : null
      },
      () => 'no reload',
    )
    assert.equal(seen.pid, pid)
  })

  test('USR1 opens no inspector, and USR2 is refused in one line; both change nothing', async () => {
    await using keeper = await startKeeper()
    const { pid } = await keeper.seen()
    keeper.kill('SIGUSR1')
    keeper.kill('SIGUSR2')
    await until(
      () => keeper.output().includes('\n'),
      () => 'no line',
    )
    assert.equal(keeper.output().trim().split('\n').length, 1)
    assert.match(keeper.output(), /SIGUSR2.*refused/)
    assert.equal((await keeper.ask()).pid, pid)
  })

  test('TERM to the generation is the ordered stop as well', async () => {
    await using keeper = await startKeeper()
    const { pid } = await withApp(keeper)
    process.kill(pid, 'SIGTERM')
    assert.deepEqual(await keeper.exit, { code: 0, signal: null })
    assert.deepEqual(keeper.alive(), [])
  })

  test('a generation that crashes while it stops: apps are stopped, exit 1', async () => {
    await using keeper = await startKeeper()
    const { pid } = await withApp(keeper)
    await keeper.ask({ is: 'deaf' })
    keeper.kill('SIGTERM')
    await until(
      async () => (await keeper.ask()).stops === 1,
      () => 'stop does not reach the generation',
    )
    process.kill(pid, 'SIGKILL')
    assert.deepEqual(await keeper.exit, { code: 1, signal: null })
    assert.deepEqual(keeper.alive(), [])
  })

  test('TERM between two generations: apps are stopped, exit 0', async () => {
    await using keeper = await startKeeper({ timing: { backoffBaseMs: 60_000, backoffMaxMs: 60_000 } })
    const first = await withApp(keeper)
    process.kill(first.pid, 'SIGKILL')
    const second = await until(
      async () => {
        const now = await keeper.ask().catch(() => null)
        return now !== null && now.pid !== first.pid ? now : null
      },
      () => 'no next generation',
    )
    process.kill(second.pid, 'SIGKILL')
    await until(
      () => keeper.output().includes('60000 ms'),
      () => 'no backoff',
    )
    keeper.kill('SIGTERM')
    assert.deepEqual(await keeper.exit, { code: 0, signal: null })
    assert.deepEqual(keeper.alive(), [])
  })
})
