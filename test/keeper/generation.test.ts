import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type GenerationEnd, startGeneration } from '../../src/keeper/generation.ts'

/** What becomes of a generation that is told nothing. */
function endOf(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<GenerationEnd> {
  const { promise, resolve } = Promise.withResolvers<GenerationEnd>()
  let held = false
  const events = {
    said: () => assert.fail('it says nothing'),
    ended(end: GenerationEnd) {
      assert.ok(held, 'it ended before its keeper held it')
      resolve(end)
    },
  }
  const generation = startGeneration(argv, env, new Map(), events)
  held = true
  generation.send({ v: 1, is: 'reload' })
  generation.kill()
  return promise
}

describe('a generation that cannot be started', () => {
  test('ends with the reason where Node tells it by an event', async () => {
    const end = await endOf(['/no/such/program'], {})
    assert.deepEqual([end.code, end.signal], [null, null])
    assert.match(end.error ?? '', /ENOENT/)
  })

  test('ends with the reason where Node throws it, and does not take the keeper with it', async () => {
    // a single value above the kernel's bound of 128 KiB
    const end = await endOf([process.execPath, '--version'], { HUGE: 'x'.repeat(1 << 20) })
    assert.deepEqual([end.code, end.signal], [null, null])
    assert.match(end.error ?? '', /E2BIG/)
  })
})
