/**
 * kill -9 of the keeper in every place of an upgrade. Alone: the generation serves on, and after TERM to it a new `baton run` ends what was
 * begun. With its generation: the apps live on, and a new `baton run` finds them by their pids.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { statusOf } from '../kit/observed.ts'
import { until } from '../kit/until.ts'
import { assertEnded, assertOneLeft } from './kit/ended.ts'
import { bothKilledAs } from './kit/journal.ts'
import { killed } from './kit/killed.ts'
import { places, plans, reachPlace, startAt, traffic } from './kit/places.ts'
import { startTraffic, untilServed } from './kit/traffic.ts'
import { startRun, type UpgradeRun } from './kit/upgrade-run.ts'
import { assertKept, assertKeptBut, isLostWith, isRefusedBetween, isSentAway, verdictOf } from './kit/verdict.ts'

/** One in each phase: what differs from a generation that is killed alone, in every place, is who finds the apps. */
const phases = places.filter(({ name }) =>
  [
    'precheck',
    'start-new',
    'health-check',
    'warm',
    'shift, 50',
    'stop-old, stop',
    'rollback, stop',
    'exclusive, hold',
    'exclusive, stop-old',
    'exclusive, stop-old, stop',
    'exclusive, health-check',
    'exclusive, release',
    'exclusive, rollback, restart-old',
  ].includes(name),
)

function startAgain(run: UpgradeRun): Promise<Baton> {
  return startBaton({ dir: run.dir, config: run.baton.config })
}

async function assertNoOrphan(run: UpgradeRun, again: Baton): Promise<void> {
  assert.equal((await again.stop()).code, 0)
  assert.deepEqual([run.baton.alive(), again.alive()], [[], []])
}

describe('keeper and generation are killed with -9', { concurrency: 3 }, () => {
  for (const place of phases) {
    test(`in ${place.name}: the apps are adopted by their pids, and the upgrade ends ${place.ends}`, async () => {
      await using run = await startAt(place)
      const before = await reachPlace(run, place)
      const from = performance.now()
      const diedAt = await bothKilledAs(run, place.as)
      await using again = await startAgain(run)
      await again.ready()
      const backAt = performance.now()
      await place.goOn?.(run)
      await run.reaches(place.ends)
      await run.served()
      const isDown = isRefusedBetween(from, backAt)
      assertKeptBut(await run.verdict(), (lost) => isLostWith(diedAt)(lost) || isDown(lost))
      await assertEnded(run, place, before)
      await assertNoOrphan(run, again)
    })
  }

  test('at rest: the ledger is there again, whoever was stable', async () => {
    await using run = await startRun({ traffic: null })
    await run.order('upgrade', { to: 'v2', plan: 'at-once' })
    await run.reaches('done')
    const app = await run.pid('v2')
    await bothKilledAs(run)
    await killed(app)
    await using again = await startAgain(run)
    await again.ready()
    const { roles, versions } = await statusOf(again)
    assert.deepEqual([roles.stable, versions.map(({ name }) => name)], ['v2', ['v2']])
  })

  test('in an upgrade whose apps died as well: it stands where the journal says, and both are started anew', async () => {
    await using run = await startRun({ traffic: null })
    await run.order('upgrade', { to: 'v2', plan: 'manual' })
    await run.reaches('shift')
    const apps = [await run.pid('v1'), await run.pid('v2')]
    await bothKilledAs(run)
    for (const app of apps) await killed(app)
    await using again = await startAgain(run)
    await again.ready()
    const { phase } = await run.reaches(({ phase }) => phase === 'shift' || phase === 'rolled-back')
    assert.equal(phase, 'shift')
    await run.order('rollback')
    await run.reaches('rolled-back')
    assert.equal((await statusOf(again)).roles.stable, 'v1')
  })
})

async function loseKeeper(run: UpgradeRun): Promise<void> {
  await killed(run.baton.keeperPid)
  await until(
    async () => (await run.status()).baton.keeperLost,
    () => run.baton.output(),
  )
}

/** TERM to the generation: the whole ordered stop, whatever the upgrade is at. */
async function stopGeneration(run: UpgradeRun): Promise<void> {
  process.kill((await run.status()).baton.pid, 'SIGTERM')
  await until(
    () => run.baton.alive().length === 0,
    () => `left: ${run.baton.alive()}; ${run.baton.output().slice(-4_000)}`,
  )
}

describe('the keeper alone is killed with -9', { concurrency: 3 }, () => {
  for (const place of phases.filter(({ as }) => as === undefined)) {
    const ends = place.withoutKeeper ?? place.ends
    test(`in ${place.name}: no request notices, TERM leaves nobody behind, and with a new baton it ends ${ends}`, async () => {
      await using run = await startAt(place)
      await reachPlace(run, place)
      await loseKeeper(run)
      if (!place.nobodyServes) await run.served(10)
      const verdict = run.verdict()
      if (!place.nobodyServes) assertKept(await verdict)
      const from = performance.now()
      await stopGeneration(run)
      const isGone = isRefusedBetween(from, performance.now())
      if (place.nobodyServes) assertKeptBut(await verdict, (lost) => isSentAway(lost) || isGone(lost))
      await using again = await startAgain(run)
      await again.ready()
      await using load = startTraffic({ port: again.publicPort, ...traffic })
      await place.goOn?.(run)
      await run.reaches(ends)
      await untilServed(load, 20, () => again.output())
      assertKept(verdictOf(await load.stop(), run.facts()))
      await assertOneLeft(run, place, ends)
      await assertNoOrphan(run, again)
    })
  }

  test('before an upgrade: it is refused at its precheck, whatever its plan, for v2 could not be started', async () => {
    await using run = await startRun({ config: { plans }, traffic })
    const old = await run.pid('v1')
    await loseKeeper(run)
    for (const plan of ['at-once', 'swap']) {
      await run.order('upgrade', { to: 'v2', plan })
      const { why } = await run.reaches('rolled-back')
      assert.deepEqual([why?.code, why?.detail], ['precheck-failed', 'the keeper is lost, so v2 cannot be started'])
    }
    await run.served()
    assertKept(await run.verdict())
    assert.equal(await run.pid('v1'), old)
    assert.equal(run.facts().filter(({ fact }) => fact === 'started').length, 1)
    await stopGeneration(run)
  })
})
