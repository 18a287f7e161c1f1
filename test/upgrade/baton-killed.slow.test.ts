/**
 * kill -9 of baton's generation in every place of an upgrade: the next one reads the journal, finds the apps, and ends what was begun.
 * Lost is what was under way over connections that the dead one had accepted; no connection is refused.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Forged, killedAs } from './kit/journal.ts'
import { assertNeverTogether } from './kit/record.ts'
import { assertTold } from './kit/told.ts'
import { startRun, type UpgradeRun, type UpgradeView } from './kit/upgrade-run.ts'
import { assertKeptBut, isLostWith } from './kit/verdict.ts'
import { manualSteps, walkTo } from './kit/walk.ts'

interface Row {
  readonly place: string
  readonly plan: string
  /** From the order on, to where it is killed. */
  reach(run: UpgradeRun): Promise<unknown>
  /** Where the journal is made to say that it stood: a place that lasts too short to be met. */
  readonly as?: Forged
  /** A request that takes long keeps v1 from being drained. */
  readonly draining?: boolean
  readonly apps?: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly ends: 'done' | 'rolled-back'
}

const slowStart = { v2: { START_DELAY_MS: '1200' } }
const slowStop = { v1: { STOP_DELAY_MS: '1500' }, v2: { STOP_DELAY_MS: '1500' } }
const inPhase = (phase: string) => (run: UpgradeRun) => run.reaches(phase)
const at = (holds: (upgrade: UpgradeView) => boolean) => (run: UpgradeRun) => run.reaches(holds)
const takeLong = async (run: UpgradeRun) => {
  fetch(`http://127.0.0.1:${run.baton.publicPort}/slow?ms=1500`).catch(() => null) // lost with the generation
  await run.served(20)
}
const stoppingV2 = async (run: UpgradeRun) => {
  await walkTo(run, 2)
  await run.order('rollback')
  await run.reaches(({ phase, todo }) => phase === 'rollback' && todo === 'stop')
}

const matrix: readonly Row[] = [
  {
    place: 'precheck',
    plan: 'quick',
    reach: inPhase('health-check'),
    as: { upgrade: { phase: 'precheck' } },
    apps: slowStart,
    ends: 'done',
  },
  {
    place: 'start-new',
    plan: 'quick',
    reach: inPhase('health-check'),
    as: { upgrade: { phase: 'start-new' } },
    apps: slowStart,
    ends: 'done',
  },
  { place: 'health-check', plan: 'quick', reach: inPhase('health-check'), apps: slowStart, ends: 'done' },
  { place: 'warm', plan: 'manual', reach: (run) => walkTo(run, 0), as: { upgrade: { phase: 'warm' } }, ends: 'done' },
  ...manualSteps.map((name, step): Row => ({ place: `shift, ${name}`, plan: 'manual', reach: (run) => walkTo(run, step), ends: 'done' })),
  { place: 'stop-old, drain', plan: 'at-once', reach: inPhase('stop-old'), draining: true, ends: 'done' },
  { place: 'stop-old, stop', plan: 'at-once', reach: at(({ todo }) => todo === 'stop'), apps: slowStop, ends: 'done' },
  {
    place: 'stop-old, stop, v1 not told yet',
    plan: 'at-once',
    reach: inPhase('stop-old'),
    draining: true,
    as: { upgrade: { todo: 'stop' }, ledger: { retired: ['v1'] } },
    ends: 'done',
  },
  { place: 'rollback, drain', plan: 'manual', reach: stoppingV2, apps: slowStop, as: { upgrade: { todo: 'drain' } }, ends: 'rolled-back' },
  { place: 'rollback, stop', plan: 'manual', reach: stoppingV2, apps: slowStop, ends: 'rolled-back' },
  {
    place: 'exclusive, hold',
    plan: 'swap',
    reach: at(({ phase, todo }) => phase === 'stop-old' && todo === 'drain'),
    draining: true,
    as: { upgrade: { phase: 'hold' } },
    ends: 'done',
  },
  { place: 'exclusive, stop-old', plan: 'swap', draining: true, reach: inPhase('stop-old'), ends: 'done' },
  { place: 'exclusive, stop-old, stop', plan: 'swap', reach: at(({ todo }) => todo === 'stop'), apps: slowStop, ends: 'done' },
  { place: 'exclusive, health-check', plan: 'swap', reach: inPhase('health-check'), apps: slowStart, ends: 'done' },
  { place: 'exclusive, release', plan: 'swap', reach: inPhase('done'), as: { upgrade: { phase: 'release' } }, ends: 'done' },
]

describe("baton's generation is killed with -9", () => {
  for (const { place, plan, reach, draining, as, apps = {}, ends } of matrix) {
    test(`in ${place}: it comes back and the upgrade ends ${ends}`, async () => {
      await using run = await startRun({ apps, config: { plans: { swap: { strategy: 'exclusive' } } } })
      const first = (await run.status()).baton.pid
      if (draining) await takeLong(run)
      await run.order('upgrade', { to: 'v2', plan })
      await reach(run)
      const before = new Map((await run.status()).versions.map(({ name, process }) => [name, process?.pid]))
      const diedAt = await killedAs(run, as)
      await run.baton.ready()
      if (plan === 'manual' && ends === 'done') await promoteToTheEnd(run)
      const { to } = await run.reaches(ends)
      await run.served()
      assertKeptBut(await run.verdict(), isLostWith(diedAt))
      if (plan === 'swap') assertNeverTogether(run.facts())
      const { baton, roles, versions } = await run.status()
      assert.notEqual(baton.pid, first)
      await assertTold(run, ends)
      const [stays, goes] = ends === 'done' ? [to, 'v1'] : ['v1', to]
      assert.equal(roles.stable, stays)
      assert.deepEqual(
        versions.map(({ name }) => name),
        [stays],
      )
      assert.equal(versions[0]?.process?.pid, before.get(stays) ?? versions[0]?.process?.pid, 'it was found again, not started anew')
      assert.equal(run.facts().filter(({ fact, version }) => fact === 'started' && version === goes).length, 1)
    })
  }
})

async function promoteToTheEnd(run: UpgradeRun): Promise<void> {
  const { step = 0 } = await run.reaches('shift')
  for (let left = step; left < manualSteps.length; left++) await run.order('promote')
}
