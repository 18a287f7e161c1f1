/** A version that nobody asks for anything: as the policy says. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertServedBy, quick, type RollbackRun, startRun } from './kit/rollback-run.ts'

const steps = [
  { weight: 50, for: '1s' },
  { bake: true, for: '1s' },
]
const idle = (onNoData: string): Promise<RollbackRun> => startRun({ rate: 0, steps, analysis: { ...quick, onNoData } })

describe('no traffic at all', () => {
  test('wait: it stands at its first step until somebody asks, and then goes on', async () => {
    await using run = await idle('wait')
    await run.begin()
    const seen = await run.until(({ upgrade, analysis }) => analysis !== null && analysis.at > upgrade.since + 2_000)
    assert.ok(seen.upgrade.phase === 'shift' && seen.upgrade.step === 0, JSON.stringify(seen.upgrade))
    assert.deepEqual([seen.analysis?.noData, seen.analysis?.level, seen.analysis?.mayAdvance], ['wait', null, false])
    run.send(100)
    await run.until(({ upgrade }) => upgrade.phase === 'done')
    await assertServedBy(run, 'v2')
  })

  test('promote: it goes on', async () => {
    await using run = await idle('promote')
    assert.equal((await run.toTheEnd()).phase, 'done')
    assert.deepEqual(run.requestsOfV2(), [])
    run.send(100)
    await assertServedBy(run, 'v2')
  })

  test('rollback: it is taken back once the time of its step is over, and its receipt says why', async () => {
    await using run = await idle('rollback')
    assert.equal((await run.toTheEnd()).phase, 'rolled-back')
    const { why, verdict, phases } = await run.receipt()
    assert.deepEqual([why?.code, why?.detail, verdict?.noData], ['verdict', 'nothing was measured', 'rollback'])
    assert.ok((phases.find(({ phase }) => phase === 'shift')?.durationMs ?? 0) >= 1_000, JSON.stringify(phases))
    run.send(100)
    await assertServedBy(run, 'v1')
  })
})
