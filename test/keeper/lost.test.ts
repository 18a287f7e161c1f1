import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../kit/until.ts'
import { sleepApp, startKeeper } from './started.ts'

describe('a lost keeper', () => {
  test('the generation serves on, says so, starts no app; TERM to it is the whole ordered stop, without an orphan', async () => {
    await using keeper = await startKeeper()
    const before = await keeper.seen()
    await keeper.ask(sleepApp('v1'))
    await until(
      async () => (await keeper.ask()).apps.length === 1,
      () => 'v1 does not start',
    )
    keeper.kill('SIGKILL')
    const after = await until(
      async () => {
        const now = await keeper.ask()
        return now.lost ? now : null
      },
      () => 'the generation does not notice',
    )
    assert.equal(after.pid, before.pid)
    assert.equal(after.apps.length, 1)

    await keeper.ask(sleepApp('v2'))
    const refused = await keeper.ask()
    assert.deepEqual(
      refused.exits.map(({ name, pid }) => ({ name, pid })),
      [{ name: 'v2', pid: 0 }],
    )
    assert.match(refused.exits[0]?.error ?? '', /keeper is lost/)

    process.kill(after.pid, 'SIGTERM')
    await until(
      () => keeper.alive().length === 0,
      () => `left: ${keeper.alive()}`,
    )
  })

  test('an app that exits without a keeper is noticed', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    await keeper.ask(sleepApp('v1'))
    const app = await until(
      async () => (await keeper.ask()).apps[0] ?? null,
      () => 'v1 does not start',
    )
    keeper.kill('SIGKILL')
    await until(
      async () => (await keeper.ask()).lost,
      () => 'the generation does not notice',
    )
    process.kill(app.pid, 'SIGKILL')
    const seen = await until(
      async () => {
        const now = await keeper.ask()
        return now.exits.length > 0 ? now : null
      },
      () => 'the exit is not noticed',
    )
    assert.deepEqual(seen.apps, [])
    assert.deepEqual(seen.exits, [{ name: 'v1', pid: app.pid, code: null, signal: null, error: null }])
  })

  test('a new start finds the lock and names the pid that still serves', async () => {
    await using keeper = await startKeeper()
    const { pid } = await keeper.seen()
    keeper.kill('SIGKILL')
    await until(
      async () => (await keeper.ask()).lost,
      () => 'the generation does not notice',
    )
    await using second = await startKeeper({ dir: keeper.dir })
    assert.deepEqual(await second.exit, { code: 2, signal: null })
    assert.match(second.output(), new RegExp(`^[^\n]*pid ${pid} still serves although its keeper is lost[^\n]*\n$`))
    assert.equal((await keeper.ask()).pid, pid)
  })
})
