import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { needs } from '../kit/packages.ts'
import { until } from '../kit/until.ts'
import { type Started, sleepApp, startKeeper } from './started.ts'

async function keeperWithApp(): Promise<Started> {
  const keeper = await startKeeper({ terminal: true })
  await keeper.seen()
  await keeper.ask(sleepApp('v1'))
  await until(
    async () => (await keeper.ask()).apps.length === 1,
    () => 'v1 does not start',
  )
  return keeper
}

describe('in a terminal', { skip: needs('script') }, () => {
  test('Ctrl-C reaches the keeper alone, which stops everything in order: no orphan, exit 0', async () => {
    await using keeper = await keeperWithApp()
    keeper.type('\u0003')
    assert.deepEqual(await keeper.exit, { code: 0, signal: null })
    assert.deepEqual(keeper.alive(), [])
  })

  test('a closed terminal stops everything in order: no orphan', async () => {
    await using keeper = await keeperWithApp()
    keeper.kill('SIGKILL') // script's end of the terminal closes, and the kernel sends SIGHUP.
    await until(
      () => keeper.alive().length === 0,
      () => `left: ${keeper.alive()}`,
    )
  })

  test('lines for people are plain, not JSON', async () => {
    await using keeper = await keeperWithApp()
    const { keeperPid } = await keeper.ask()
    process.kill(keeperPid, 'SIGUSR2')
    await until(
      () => /^baton: SIGUSR2[^\n]*refused/m.test(keeper.output()),
      () => keeper.output(),
    )
  })
})
