import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { restartDelayMs } from '../../src/keeper/generation.ts'
import { until } from '../kit/until.ts'
import { call, sleepApp, startKeeper } from './started.ts'

describe('a generation that ends out of order', () => {
  test('kill -9 under load: no new connection is refused, and the apps keep their pid', async () => {
    await using keeper = await startKeeper()
    const first = await keeper.seen()
    await keeper.ask(sleepApp('v1'))
    const before = await until(
      async () => (await keeper.ask()).apps[0] ?? null,
      () => 'v1 does not start',
    )
    const load = clients(keeper.port, 4)
    await until(
      () => load.served() > 20,
      () => 'no load',
    )

    process.kill(first.pid, 'SIGKILL')
    const servedThen = load.served()
    await until(
      () => load.served() > servedThen + 50,
      () => `nothing is served after the crash: ${keeper.output()}`,
    )
    const codes = await load.stop()

    const after = await keeper.ask()
    assert.notEqual(after.pid, first.pid)
    assert.equal(after.keeperPid, keeper.pid)
    assert.deepEqual(after.apps, [before])
    // Connections that the dead generation had accepted may be reset; none is refused.
    assert.deepEqual(
      codes.filter((code) => code !== 'ECONNRESET'),
      [],
    )
    assert.match(keeper.output(), /"event":"keeper.generation-ended".*killed by SIGKILL.*now"/)
  })

  test('the first restart comes at once, later ones after 100 ms × 2ⁿ, at most 5 s', () => {
    const delays = [0, 1, 2, 3, 6, 7, 50].map((restarts) => restartDelayMs(restarts, 100, 5_000))
    assert.deepEqual(delays, [0, 100, 200, 400, 3_200, 5_000, 5_000])
  })

  test('a second crash waits for its backoff', async () => {
    await using keeper = await startKeeper({ timing: { backoffBaseMs: 30 } })
    for (let crashes = 0; crashes < 3; crashes++) {
      const { pid } = await keeper.seen()
      process.kill(pid, 'SIGKILL')
      await until(
        async () => (await keeper.seen().catch(() => null))?.pid !== pid,
        () => 'no next generation',
      )
    }
    assert.deepEqual(delaysIn(keeper.output()), [0, 30, 60])
  })

  test('once a generation has been ready long enough the backoff starts anew', async () => {
    await using keeper = await startKeeper({ timing: { backoffBaseMs: 30, steadyMs: 0 } })
    for (let crashes = 0; crashes < 2; crashes++) {
      const { pid } = await keeper.seen()
      process.kill(pid, 'SIGKILL')
      await until(
        async () => (await keeper.seen().catch(() => null))?.pid !== pid,
        () => 'no next generation',
      )
    }
    assert.deepEqual(delaysIn(keeper.output()), [0, 0])
  })

  test('before the first ready its exit code is the keeper’s', async () => {
    await using keeper = await startKeeper({ env: { TEST_GENERATION_EXIT: '7' } })
    assert.deepEqual(await keeper.exit, { code: 7, signal: null })
    assert.deepEqual(keeper.alive(), [])
  })

  test('exit code 0 is the ordered end: the keeper kills what is left and ends with 0', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    await keeper.ask(sleepApp('v1'))
    await until(
      async () => (await keeper.ask()).apps.length === 1,
      () => 'v1 does not start',
    )
    await call(keeper.port, { is: 'exit', code: 0 }).catch(() => undefined)
    assert.deepEqual(await keeper.exit, { code: 0, signal: null })
    assert.deepEqual(keeper.alive(), [])
  })
})

/** Clients that open a connection for each request, one after the other. */
function clients(port: number, count: number): { served(): number; stop(): Promise<string[]> } {
  let served = 0
  let stopped = false
  const codes: string[] = []
  const one = async (): Promise<void> => {
    while (!stopped) {
      await call(port).then(
        () => served++,
        (error: NodeJS.ErrnoException) => codes.push(error.code ?? error.message),
      )
    }
  }
  const all = Array.from({ length: count }, one)
  return {
    served: () => served,
    async stop() {
      stopped = true
      await Promise.all(all)
      return codes
    },
  }
}

function delaysIn(output: string): number[] {
  return [...output.matchAll(/"delayMs":(\d+)/g)].map((match) => Number(match[1]))
}
