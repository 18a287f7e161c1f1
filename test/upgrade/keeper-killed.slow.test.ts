/** Keeper and generation killed with -9 in the middle of an upgrade: the apps live on, and a new `baton run` goes on with them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startBaton } from '../kit/baton.ts'
import { statusOf } from '../kit/observed.ts'
import { isAlive, killed } from './kit/killed.ts'
import { startRun } from './kit/upgrade-run.ts'

describe('keeper and generation are killed with -9', () => {
  test('in shift: the apps live on, a new baton adopts them by pid, and the upgrade stands where it stood', async () => {
    await using run = await startRun({ traffic: null })
    await run.order('upgrade', { to: 'v2', plan: 'manual' })
    await run.reaches('shift')
    await run.order('promote')
    const pids = [await run.pid('v1'), await run.pid('v2')]
    const { pid } = (await run.status()).baton
    await killed(run.baton.keeperPid)
    await killed(pid)
    assert.deepEqual(pids.map(isAlive), [true, true])
    await using again = await startBaton({ dir: run.dir, config: run.baton.config })
    await again.ready()
    const { versions } = await statusOf(again)
    assert.deepEqual(
      versions.map(({ process }) => process?.pid),
      pids,
    )
    assert.equal((await run.upgrade()).step, 1)
  })

  test('at rest: the ledger is there again, whoever was stable', async () => {
    await using run = await startRun({ traffic: null })
    await run.order('upgrade', { to: 'v2', plan: 'at-once' })
    await run.reaches('done')
    const { pid } = (await run.status()).baton
    const app = await run.pid('v2')
    await killed(run.baton.keeperPid)
    await killed(pid)
    await killed(app)
    await using again = await startBaton({ dir: run.dir, config: run.baton.config })
    await again.ready()
    const { roles, versions } = await statusOf(again)
    assert.deepEqual([roles.stable, versions.map(({ name }) => name)], ['v2', ['v2']])
  })

  test('in an upgrade whose apps died as well: it stands where the journal says, and both are started anew', async () => {
    await using run = await startRun({ traffic: null })
    await run.order('upgrade', { to: 'v2', plan: 'manual' })
    await run.reaches('shift')
    const { pid } = (await run.status()).baton
    const apps = [await run.pid('v1'), await run.pid('v2')]
    await killed(run.baton.keeperPid)
    await killed(pid)
    for (const app of apps) await killed(app)
    await using again = await startBaton({ dir: run.dir, config: run.baton.config })
    await again.ready()
    const { phase } = await run.reaches(({ phase }) => phase === 'shift' || phase === 'rolled-back')
    assert.equal(phase, 'shift')
    await run.order('rollback')
    await run.reaches('rolled-back')
    assert.equal((await statusOf(again)).roles.stable, 'v1')
  })
})
