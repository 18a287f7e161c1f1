import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BatonError } from '../../src/errors.ts'
import { keep, keeperTiming } from '../../src/keeper/keeper.ts'
import { realWorld } from '../../src/world.ts'
import { startKeeper } from './started.ts'

describe('the keeper’s start', () => {
  test('the faults of the configuration and their exit code are its own; nothing is bound, no state folder made', async () => {
    await using keeper = await startKeeper({ env: { TEST_LISTENERS_EXIT: '2' } })
    assert.deepEqual(await keeper.exit, { code: 2, signal: null })
    assert.match(keeper.output(), /^baton\.yaml:3:1 [^\n]*\n$/)
    assert.equal(existsSync(join(keeper.dir, 'state')), false)
  })

  test('listeners that are no JSON are one line', async () => {
    await using keeper = await startKeeper({ env: { TEST_LISTENERS: 'oops' } })
    assert.deepEqual(await keeper.exit, { code: 1, signal: null })
    assert.match(keeper.output(), /^[^\n]*printed no listeners\n$/)
  })

  test('Windows is refused in one line', async () => {
    const options = { listenersArgv: [], generationArgv: [], log: () => undefined, timing: keeperTiming }
    await assert.rejects(
      keep({ ...options, world: { ...realWorld, platform: 'win32' } }),
      (error) => error instanceof BatonError && error.code === 'unsupported' && error.exit === 2,
    )
  })
})
