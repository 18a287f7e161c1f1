/** Limits that are changed while traffic shifts judge from the next look on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { assertServedBy, quick, type RollbackRun, startRun } from './kit/rollback-run.ts'

const lenient = {
  ...quick,
  errorRate: { ...quick.errorRate, dryRun: true },
  latency: { ...quick.latency, dryRun: true },
  hardStops: { ...quick.hardStops, errorRate: 'off' },
}
const steps = [
  { weight: 50, for: '10m' },
  { bake: true, for: '1s' },
]

/** The running configuration with another analysis. */
async function judgeBy(run: RollbackRun, analysis: object): Promise<void> {
  const { body: text } = await run.baton.admin('GET', '/v1/config')
  const dynamic = parse(text) as { rollout: object }
  const { status, body } = await run.baton.admin('PUT', '/v1/config', { ...dynamic, rollout: { ...dynamic.rollout, analysis } })
  assert.equal(status, 200, body)
}

test('a version that errs goes on while nothing counts its errors, and is taken back once they count', async () => {
  await using run = await startRun({ v2: { ERROR_SHARE: '0.3' }, steps, analysis: lenient })
  await run.begin()
  const seen = await run.until(
    ({ analysis }) => analysis?.signals.some(({ signal, is }) => signal === 'errorRate' && is === 'breach') === true,
  )
  assert.deepEqual([seen.upgrade.phase, seen.analysis?.level], ['shift', null])
  await judgeBy(run, quick)
  const { upgrade } = await run.until(({ upgrade: { phase } }) => phase === 'rolled-back')
  assert.ok('why' in upgrade && upgrade.why.code === 'verdict', JSON.stringify(upgrade))
  await assertServedBy(run, 'v1')
})

test('a version that would be taken back is not, once the limit is above what it does', async () => {
  const strict = { ...quick, hardStops: { ...quick.hardStops, errorRate: 'off' }, escalate: '1m', degrade: { for: '1s', max: 100 } }
  await using run = await startRun({ v2: { ERROR_SHARE: '0.3' }, steps, analysis: strict })
  await run.begin()
  await run.until(({ analysis }) => analysis?.level !== null && analysis?.level !== undefined)
  await judgeBy(run, lenient)
  await run.until(({ upgrade, analysis }) => upgrade.phase === 'shift' && upgrade.mode.is === 'running' && analysis?.level === null)
  assert.equal((await run.baton.admin('POST', '/v1/promote')).status, 200)
  await run.until(({ upgrade }) => upgrade.phase === 'done')
  await run.served()
})
