/** Every place of an upgrade at which baton can die, how it is reached, and where the upgrade has to end all the same. */
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { until } from '../../kit/until.ts'
import type { Forged } from './journal.ts'
import type { Fact } from './record.ts'
import { startRun, type UpgradeRun, type UpgradeView } from './upgrade-run.ts'
import { manualSteps, walkTo } from './walk.ts'

export interface Place {
  readonly name: string
  readonly plan: string
  /** From the order on, to where baton is killed. */
  reach(run: UpgradeRun): Promise<unknown>
  /** Where the journal is made to say that it stood: a place that lasts too short to be met. */
  readonly as?: Forged
  /** A request that takes long keeps v1 from being drained. */
  readonly draining?: boolean
  readonly apps?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** When baton is back: what it takes to get to the end. */
  goOn?(run: UpgradeRun): Promise<unknown>
  readonly ends: 'done' | 'rolled-back'
  /** It goes back before v2 was ever started. */
  readonly withoutV2?: boolean
  /** Where it ends without a keeper, which is what starts v2. */
  readonly withoutKeeper?: 'rolled-back'
  /** v1 is on its way out, and until another process has been started requests wait. */
  readonly nobodyServes?: boolean
}

/** Of a configuration's `rollout.plans`. `slow` takes longer than a pause is looked at. */
export const plans = {
  swap: { strategy: 'exclusive' },
  slow: {
    steps: [
      { weight: 50, for: '700ms' },
      { bake: true, for: '100ms' },
    ],
  },
}

const slowStart = { v2: { START_DELAY_MS: '1200' } }
const slowStop = { v1: { STOP_DELAY_MS: '1500' }, v2: { STOP_DELAY_MS: '1500' } }
const slowBoth = { v2: { ...slowStart.v2, ...slowStop.v2 } }
const slowReturn = { v1: { START_DELAY_MS: '700', STOP_DELAY_MS: '700' } }

const inPhase = (phase: string) => (run: UpgradeRun) => run.reaches(phase)
const at = (holds: (upgrade: UpgradeView) => boolean) => (run: UpgradeRun) => run.reaches(holds)
const does = (run: UpgradeRun, version: string, fact: Fact['fact']) =>
  until(
    () => run.facts().some((known) => known.fact === fact && known.version === version),
    () => `${version} has not ${fact}; ${run.baton.output()}`,
  )
/** It was told: it does not come back any more. */
const stoppingV1 = async (run: UpgradeRun) => {
  await run.reaches(({ phase, todo }) => phase === 'stop-old' && todo === 'stop')
  await does(run, 'v1', 'stopping')
}
/** It is there, and handles SIGTERM: what it does then is its own. */
export const v2Starts = async (run: UpgradeRun) => {
  await run.reaches('health-check')
  await run.pid('v2')
  await does(run, 'v2', 'started')
}
export const takenBack = (reach: Place['reach'], todo: string) => async (run: UpgradeRun) => {
  await reach(run)
  await run.order('rollback')
  await run.reaches((upgrade) => upgrade.phase === 'rollback' && upgrade.todo === todo)
}
const stoppingV2 = takenBack((run) => walkTo(run, 2), 'stop')

async function promoteToTheEnd(run: UpgradeRun): Promise<void> {
  const { step = 0 } = await run.reaches('shift')
  for (let left = step; left < manualSteps.length; left++) await run.order('promote')
}

/** It still stands as it did, and goes on when it is told to. */
const resume = (stands: (upgrade: UpgradeView) => boolean) => async (run: UpgradeRun) => {
  await setTimeout(800) // nothing is to happen: there is no event to wait for
  assert.ok(stands(await run.upgrade()), JSON.stringify(await run.upgrade()))
  await run.order('resume')
}

const stuck = { code: 'stop-failed', detail: 'v1 does not stop', by: 'engine' }

export const shiftSteps: readonly Place[] = manualSteps.map((step, index) => ({
  name: `shift, ${step}`,
  plan: 'manual',
  reach: (run) => walkTo(run, index),
  goOn: promoteToTheEnd,
  ends: 'done',
}))

export const places: readonly Place[] = [
  {
    name: 'precheck',
    plan: 'quick',
    reach: v2Starts,
    as: { upgrade: { phase: 'precheck' } },
    apps: slowStart,
    ends: 'done',
  },
  {
    name: 'start-new',
    plan: 'quick',
    reach: v2Starts,
    as: { upgrade: { phase: 'start-new' } },
    apps: slowStart,
    ends: 'done',
  },
  { name: 'health-check', plan: 'quick', reach: v2Starts, apps: slowStart, ends: 'done' },
  {
    name: 'warm',
    plan: 'manual',
    reach: (run) => walkTo(run, 0),
    as: { upgrade: { phase: 'warm' } },
    goOn: promoteToTheEnd,
    ends: 'done',
  },
  ...shiftSteps.slice(2, 3),
  {
    name: 'shift, paused',
    plan: 'slow',
    reach: async (run) => {
      await run.reaches('shift')
      await run.order('pause')
    },
    goOn: resume(({ phase, mode }) => phase === 'shift' && mode?.is === 'paused'),
    ends: 'done',
  },
  {
    name: 'shift, degraded',
    plan: 'slow',
    reach: inPhase('shift'),
    as: { upgrade: { mode: { is: 'degraded', forMs: 2_000, wasPaused: false }, degrades: 1 } },
    goOn: at(({ phase, mode }) => phase === 'shift' && mode?.is === 'degraded'),
    ends: 'done',
  },
  { name: 'stop-old, drain', plan: 'at-once', reach: inPhase('stop-old'), draining: true, ends: 'done' },
  {
    name: 'stop-old, frozen',
    plan: 'at-once',
    reach: inPhase('stop-old'),
    draining: true,
    as: { upgrade: { frozen: stuck } },
    goOn: resume(({ phase, frozen }) => phase === 'stop-old' && frozen?.code === stuck.code),
    ends: 'done',
  },
  { name: 'stop-old, stop', plan: 'at-once', reach: stoppingV1, apps: slowStop, ends: 'done' },
  {
    name: 'stop-old, stop, v1 not told yet',
    plan: 'at-once',
    reach: inPhase('stop-old'),
    draining: true,
    as: { upgrade: { todo: 'stop' }, ledger: { retired: ['v1'] } },
    ends: 'done',
  },
  { name: 'rollback, drain', plan: 'manual', reach: stoppingV2, apps: slowStop, as: { upgrade: { todo: 'drain' } }, ends: 'rolled-back' },
  { name: 'rollback, stop', plan: 'manual', reach: stoppingV2, apps: slowStop, ends: 'rolled-back' },
  {
    name: 'exclusive, hold',
    plan: 'swap',
    reach: at(({ phase, todo }) => phase === 'stop-old' && todo === 'drain'),
    draining: true,
    as: { upgrade: { phase: 'hold' } },
    ends: 'done',
  },
  { name: 'exclusive, stop-old', plan: 'swap', draining: true, reach: inPhase('stop-old'), ends: 'done', withoutKeeper: 'rolled-back' },
  { name: 'exclusive, stop-old, stop', plan: 'swap', reach: stoppingV1, apps: slowStop, ends: 'done', nobodyServes: true },
  { name: 'exclusive, health-check', plan: 'swap', reach: v2Starts, apps: slowStart, ends: 'done' },
  { name: 'exclusive, release', plan: 'swap', reach: inPhase('done'), as: { upgrade: { phase: 'release' } }, ends: 'done' },
  {
    name: 'exclusive, rollback, stop',
    plan: 'swap',
    reach: takenBack(v2Starts, 'stop'),
    apps: slowBoth,
    ends: 'rolled-back',
    nobodyServes: true,
  },
  {
    name: 'exclusive, rollback, restart-old',
    plan: 'swap',
    reach: takenBack(stoppingV1, 'restart-old'),
    apps: slowReturn,
    ends: 'rolled-back',
    withoutV2: true,
    nobodyServes: true,
  },
  {
    name: 'exclusive, rollback, release',
    plan: 'swap',
    reach: async (run) => {
      await takenBack(stoppingV1, 'restart-old')(run)
      await run.reaches('rolled-back')
    },
    as: { upgrade: { phase: 'rollback', todo: 'release' } },
    apps: slowReturn,
    ends: 'rolled-back',
    withoutV2: true,
  },
]

/** Little: several run at once, and what an exclusive upgrade holds has to fit into the queue, however slow the machine. */
export const traffic = { ratePerSecond: 60, streams: 1, sockets: 1 }

export function startAt({ apps = {} }: Place): Promise<UpgradeRun> {
  return startRun({ apps, config: { plans }, traffic })
}

/** From the start of the upgrade to the place: with which processes. */
export async function reachPlace(run: UpgradeRun, { plan, draining, reach }: Place): Promise<ReadonlyMap<string, number | null>> {
  await run.served(20)
  if (draining) await takeLong(run)
  await run.order('upgrade', { to: 'v2', plan })
  await reach(run)
  return new Map((await run.status()).versions.map(({ name, process }) => [name, process?.pid ?? null]))
}

async function takeLong(run: UpgradeRun): Promise<void> {
  fetch(`http://127.0.0.1:${run.baton.publicPort}/slow?ms=6000`).catch(() => null) // lost with the generation
  await until(
    async () => (await run.status()).versions.some(({ inFlight }) => inFlight > 0),
    () => run.baton.output(),
  )
}
