/** One round: an upgrade from v1 to v2 that goes well, then one back to v1 that is rolled back half-way, under load without a pause. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Exchange } from '../../test/upgrade/kit/exchange.ts'
import { startRun, type UpgradeRun } from '../../test/upgrade/kit/upgrade-run.ts'
import type { Verdict } from '../../test/upgrade/kit/verdict.ts'
import type { Stretch } from './stretch.ts'

export interface Round {
  readonly exchanges: readonly Exchange[]
  readonly verdict: Verdict
  /** before, upgrade, between, rollback, after: in the order of time, without a gap. */
  readonly stretches: readonly Stretch[]
  /** The places of each upgrade, each to the next one's beginning. */
  readonly upgrade: readonly Stretch[]
  readonly rollback: readonly Stretch[]
}

export const ratePerSecond = 300
export const streams = 5
export const sockets = 5
const stepFor = '2s'
/** What is compared with an upgrade is measured for this long. */
const restMs = 5_000
/** Neither baton nor app is at its speed before. */
const warmUpMs = 4_000

const plan = {
  steps: [
    { headerOnly: true, for: stepFor },
    { weight: 10, for: stepFor },
    { weight: 50, for: stepFor },
    { weight: 100, for: stepFor },
    { bake: true, for: stepFor },
  ],
}

interface Receipt {
  readonly moves: readonly { readonly at: number; readonly phase: string; readonly place: string }[]
}

export async function runRound(): Promise<Round> {
  await using run = await startRun({ config: { plans: { bench: plan } }, traffic: { ratePerSecond, streams, sockets } })
  await sleep(warmUpMs)
  const marks = [performance.now()]
  await sleep(restMs)
  marks.push(performance.now())
  const upgraded = await upgrade(run, 'v2')
  await run.reaches('done', 60_000)
  marks.push(performance.now())
  await sleep(restMs)
  marks.push(performance.now())
  const rolledBack = await upgrade(run, 'v1')
  await run.reaches(({ phase, step }) => phase === 'shift' && step === 2, 60_000)
  await sleep(1_000)
  await run.order('rollback')
  await run.reaches('rolled-back', 60_000)
  marks.push(performance.now())
  await sleep(restMs)
  marks.push(performance.now())
  const [forth, back] = [await bandsOf(run, upgraded), await bandsOf(run, rolledBack)]
  const verdict = await run.verdict()
  return { exchanges: run.traffic.exchanges, verdict, stretches: stretchesBetween(marks), upgrade: forth, rollback: back }
}

async function upgrade(run: UpgradeRun, to: string): Promise<string> {
  const { upgrade: begun } = await run.order('upgrade', { to, plan: 'bench' })
  if (begun === null) throw new Error('no upgrade was begun')
  return begun.id
}

function stretchesBetween(marks: readonly number[]): readonly Stretch[] {
  return ['before', 'upgrade', 'between', 'rollback', 'after'].map((name, at) => ({ name, from: marks[at] ?? 0, to: marks[at + 1] ?? 0 }))
}

/** From the journal: the time of each move, in this process's clock. */
async function bandsOf(run: UpgradeRun, id: string): Promise<readonly Stretch[]> {
  const { receipt } = (await run.get(`/v1/history/${id}`)) as { receipt: Receipt }
  const moves = receipt.moves.map(({ at, phase, place }) => ({ at: at - performance.timeOrigin, name: nameOf(phase, place) }))
  const whole = moves.flatMap(({ at, name }, index): Stretch[] => {
    const next = moves[index + 1]
    return next === undefined ? [] : [{ name, from: at, to: next.at }]
  })
  return joined(whole)
}

/** `shift` and `10% (step 2 of 5)` → `10%`; a rollback's and a stop's todo says nothing here. */
function nameOf(phase: string, place: string): string {
  return phase === 'shift' ? place.replace(/ \(.*$/, '') : phase
}

function joined(bands: readonly Stretch[]): readonly Stretch[] {
  const begins = bands.filter(({ name }, at) => name !== bands[at - 1]?.name)
  const end = bands.at(-1)?.to ?? 0
  return begins.map(({ name, from }, at) => ({ name, from, to: begins[at + 1]?.from ?? end }))
}
