/** v2 crashes, phase by phase: where the upgrade ends, what `baton upgrade --wait` exits with, and what the clients saw of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runBaton } from '../kit/baton.ts'
import { until } from '../kit/until.ts'
import { killedAs } from './kit/journal.ts'
import { isAlive, killed } from './kit/killed.ts'
import { plans, takenBack, traffic, v2Starts } from './kit/places.ts'
import { assertNeverTogether } from './kit/record.ts'
import { startRun, type UpgradeRun } from './kit/upgrade-run.ts'
import { assertKeptBut, isLostAt, isLostWith, type Lost } from './kit/verdict.ts'
import { walkTo } from './kit/walk.ts'

interface Row {
  readonly where: string
  readonly plan: string
  readonly apps?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** From the order on: lets it crash where it should, and gives what of the load may have been lost. */
  crash(run: UpgradeRun): Promise<(lost: Lost) => boolean>
  readonly ends: 'done' | 'rolled-back'
  readonly exitCode: 0 | 3
}

const nothing = (): boolean => false
const kill = async (run: UpgradeRun): Promise<unknown> => killed(await run.pid('v2'))
const slowStart = { v2: { START_DELAY_MS: '500' } }

/** Asked of v2 alone, and under way for long: it keeps v2 from being drained. */
async function askV2Long(run: UpgradeRun): Promise<void> {
  const headers = { 'x-canary': 'true' }
  const answer = fetch(`http://127.0.0.1:${run.baton.publicPort}/slow?ms=5000`, { headers })
  answer.catch(() => null)
  await until(
    async () => (await run.status()).versions.some(({ name, inFlight }) => name === 'v2' && inFlight > 0),
    () => run.baton.output(),
  )
}

const rows: readonly Row[] = [
  {
    where: 'in start-new, with exit code 1 whenever it is started',
    plan: 'impatient',
    apps: { v2: { EXIT_CODE: '1' } },
    crash: async () => nothing,
    ends: 'rolled-back',
    exitCode: 3,
  },
  {
    where: 'in health-check, once',
    plan: 'at-once',
    apps: slowStart,
    async crash(run) {
      await v2Starts(run)
      await kill(run)
      return nothing
    },
    ends: 'done',
    exitCode: 0,
  },
  {
    where: 'in warm, while baton was dead as well: it is started again',
    plan: 'brief',
    async crash(run) {
      await run.reaches('shift')
      const pid = await run.pid('v2')
      return isLostWith(await killedAs(run, { upgrade: { phase: 'warm' } }, () => killed(pid)))
    },
    ends: 'done',
    exitCode: 0,
  },
  {
    where: 'in shift, with exit code 1',
    plan: 'manual',
    async crash(run) {
      await walkTo(run, 2)
      await fetch(`http://127.0.0.1:${run.baton.publicPort}/exit`, { method: 'POST', headers: { 'x-canary': 'true' } })
      return isLostAt('v2')
    },
    ends: 'rolled-back',
    exitCode: 3,
  },
  {
    where: 'in a rollback, while it drains',
    plan: 'manual',
    async crash(run) {
      await walkTo(run, 2)
      await askV2Long(run)
      await takenBack(async () => undefined, 'drain')(run)
      await kill(run)
      return isLostAt('v2')
    },
    ends: 'rolled-back',
    exitCode: 3,
  },
  {
    where: 'in a rollback, while it is stopped',
    plan: 'manual',
    apps: { v2: { STOP_DELAY_MS: '3000' } },
    async crash(run) {
      await walkTo(run, 2)
      const pid = await run.pid('v2')
      await takenBack(async () => undefined, 'stop')(run)
      await killed(pid)
      return nothing
    },
    ends: 'rolled-back',
    exitCode: 3,
  },
  {
    where: 'in the rollback of an exclusive upgrade, while it is stopped',
    plan: 'swap',
    apps: { v2: { START_DELAY_MS: '3000', STOP_DELAY_MS: '3000' } },
    async crash(run) {
      await v2Starts(run)
      const pid = await run.pid('v2')
      await takenBack(async () => undefined, 'stop')(run)
      await killed(pid)
      return nothing
    },
    ends: 'rolled-back',
    exitCode: 3,
  },
]

const crashPlans = {
  ...plans,
  impatient: { steps: ['bake'], readyTimeout: '1s' },
  brief: { steps: [{ bake: true, for: '1s' }] },
}

describe('v2 crashes', { concurrency: 2 }, () => {
  for (const { where, plan, apps = {}, crash, ends, exitCode } of rows) {
    test(`${where}: ${ends}, exit code ${exitCode}, one version left`, async () => {
      await using run = await startRun({ apps, config: { plans: crashPlans }, traffic })
      await run.served(20)
      const old = await run.pid('v1')
      const waiting = runBaton(['upgrade', '--to', 'v2', '--plan', plan, '--wait', '--admin', run.baton.adminSocket])
      await run.reaches(() => true)
      const isExcused = await crash(run)
      await run.reaches(ends)
      assert.equal((await waiting).code, exitCode)
      await run.served()
      assertKeptBut(await run.verdict(), isExcused)
      const { roles, versions } = await run.status()
      const stays = ends === 'done' ? 'v2' : 'v1'
      assert.deepEqual([roles, versions.map(({ name }) => name)], [{ stable: stays, candidate: null }, [stays]])
      if (plan === 'swap') assertNeverTogether(run.facts())
      else assert.equal(isAlive(old), ends !== 'done', 'v1 was left alone until v2 was good')
    })
  }

  test('after commit: it stands frozen, exit code 5, and v1 is there until it has stopped', async () => {
    await using run = await startRun({ apps: { v1: { STOP_DELAY_MS: '9000' } }, config: { plans: crashPlans }, traffic })
    const old = await run.pid('v1')
    const waiting = runBaton(['upgrade', '--to', 'v2', '--plan', 'brief', '--wait', '--admin', run.baton.adminSocket])
    await run.reaches(({ todo }) => todo === 'stop')
    await kill(run)
    assert.equal((await waiting).code, 5)
    assert.equal((await run.upgrade()).frozen?.code, 'candidate-lost')
    assert.equal(isAlive(old), true)
  })
})
