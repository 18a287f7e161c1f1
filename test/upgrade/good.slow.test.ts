/** An upgrade that goes well: whatever comes meanwhile is answered once, by one of the two; and what is told of it is true. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { logged, metric } from '../kit/observed.ts'
import { assertTold } from './kit/told.ts'
import { startRun, type UpgradeRun } from './kit/upgrade-run.ts'
import { assertKept } from './kit/verdict.ts'

const phases = ['precheck', 'start-new', 'health-check', 'warm', 'shift', 'stop-old']

async function assertMeasured(run: UpgradeRun): Promise<void> {
  for (const stage of [...phases, 'total']) assert.equal(await metric(run.baton, 'upgrade_duration_seconds_count', { stage }), 1, stage)
  // three streams and three sockets, and whatever requests were under way
  assert.ok((await metric(run.baton, 'active_connections_before', { version: 'v1' })) >= 6)
  assert.equal(await metric(run.baton, 'active_connections_after', { version: 'v1' }), 0)
  assert.equal(await metric(run.baton, 'graceful_shutdown_failures_total'), 0)
  assert.equal(await metric(run.baton, 'baton_role', { role: 'stable', version: 'v2' }), 1)
}

function assertLogged(run: UpgradeRun, id: string, pids: readonly number[]): void {
  const lines = logged(run.baton, 'upgrade.phase')
  assert.deepEqual(
    lines.map(({ phase }) => phase),
    [...phases, 'done'],
  )
  const concluded = logged(run.baton, 'upgrade.concluded')
  const told = [...lines, ...logged(run.baton, 'upgrade.phase_ended'), ...concluded]
  for (const line of told) assert.deepEqual([line.upgrade_id, line.old_pid], [id, pids[0]])
  const withNew = ['shift', 'stop-old', 'done']
  for (const line of told.filter(({ phase }) => withNew.includes(String(phase)))) assert.equal(line.new_pid, pids[1])
  assert.deepEqual(
    concluded.map(({ result }) => result),
    ['done'],
  )
}

describe('a good upgrade under load', () => {
  test('loses, cuts and repeats nothing; v1 is asked to let go of streams and sockets; metrics, history, receipt and log say so', async () => {
    await using run = await startRun()
    await run.served()
    const { is, upgrade } = await run.order('upgrade', { to: 'v2', plan: 'quick' })
    assert.equal(is, 'accepted')
    const id = upgrade?.id ?? ''
    await run.reaches('shift')
    const pids = [await run.pid('v1'), await run.pid('v2')]
    await run.reaches('done')
    await run.served()
    const [ends, streamEnds] = [[...run.traffic.sockets.ends], [...run.traffic.streams.ends]]
    assertKept(await run.verdict())
    assert.deepEqual(
      ends.map(({ version, code }) => `${version} ${code}`),
      Array.from({ length: 3 }, () => 'v1 1012'),
    )
    assert.deepEqual(
      streamEnds.map(({ version, is: how }) => `${version} ${how}`),
      Array.from({ length: 3 }, () => 'v1 boundary'),
    )
    assert.deepEqual(
      run
        .facts()
        .filter(({ fact }) => fact === 'websocket-closed')
        .slice(0, 3)
        .map(({ version, detail }) => `${version} ${detail}`),
      Array.from({ length: 3 }, () => 'v1 1001'),
    )
    await assertMeasured(run)
    const receipt = await assertTold(run, 'done')
    assert.deepEqual([receipt.id, receipt.cut, receipt.failed], [id, 0, 0])
    assert.deepEqual(
      receipt.phases.map(({ phase }) => phase),
      phases,
    )
    assert.ok((receipt.exchanges.v1 ?? 0) > 0 && (receipt.exchanges.v2 ?? 0) > 0, JSON.stringify(receipt.exchanges))
    assertLogged(run, id, pids)
  })

  test('weights say how much v2 gets, and who has moved stays moved', async () => {
    const plans = {
      half: {
        steps: [
          { weight: 30, manual: true },
          { weight: 60, manual: true },
          { bake: true, manual: true },
        ],
      },
    }
    await using run = await startRun({ config: { plans, sticky: { or: { header: 'x-user' } } }, traffic: { users: 200 } })
    await run.order('upgrade', { to: 'v2', plan: 'half' })
    await run.reaches('shift')
    const moved = new Set<string>()
    for (const least of [0.15, 0.4]) {
      const from = performance.now()
      await run.served(300)
      const since = run.traffic.exchanges.filter(({ dueAt, user }) => dueAt > from && user !== '')
      const at = since.filter(({ outcome }) => outcome.is === 'ok' && outcome.version === 'v2')
      assert.ok(at.length / since.length > least, `${at.length} of ${since.length}`)
      for (const { outcome, user } of since) assert.ok(!moved.has(user) || (outcome.is === 'ok' && outcome.version === 'v2'), user)
      for (const { user } of at) moved.add(user)
      await run.order('promote')
    }
    assertKept(await run.verdict())
  })
})
