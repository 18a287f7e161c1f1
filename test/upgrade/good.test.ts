/** An upgrade that goes well: whatever comes meanwhile is answered once, by one of the two. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startRun } from './kit/upgrade-run.ts'
import { assertKept } from './kit/verdict.ts'

describe('a good upgrade under load', () => {
  test('loses, cuts and repeats nothing; the streams and sockets of v1 are asked to go', async () => {
    await using run = await startRun()
    await run.served()
    const { is } = await run.order('upgrade', { to: 'v2', plan: 'quick' })
    assert.equal(is, 'accepted')
    await run.reaches('done')
    await run.served()
    const verdict = await run.verdict()
    assertKept(verdict)
    assert.deepEqual(
      run.traffic.sockets.ends.map(({ version, code }) => `${version} ${code}`),
      Array.from({ length: 3 }, () => 'v1 1012'),
    )
  })
})
