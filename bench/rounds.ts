/**
 * All turns of one workload: round by round, proxy by proxy, so that what disturbs the machine disturbs all of them alike.
 * The order turns with the round, so that no proxy always follows the same one.
 */
import type { Stage } from './stage.ts'
import { runTurn, type Target, type Turn, type TurnPlan } from './turn.ts'

const warmUpSeconds = 1

export async function runRounds(stage: Stage, plan: TurnPlan, rounds: number, signal: AbortSignal): Promise<Turn[]> {
  await pass(stage, stage.targets, { ...plan, seconds: warmUpSeconds }, signal)
  const turns: Turn[] = []
  for (let round = 0; round < rounds; round++) {
    const passed = await pass(stage, turned(stage.targets, round), plan, signal)
    turns.push(...passed)
    for (const turn of passed) console.error(`round ${round + 1}/${rounds}: ${turnLine(turn)}`)
  }
  return turns
}

/** One turn of each proxy. One that dies, or answers nothing twice, is dropped and noted: the others' numbers stand. */
async function pass(stage: Stage, targets: readonly Target[], plan: TurnPlan, signal: AbortSignal): Promise<Turn[]> {
  const turns: Turn[] = []
  for (const target of [...targets]) {
    try {
      turns.push(await runTurn(target, plan, signal).catch(() => runTurn(target, plan, signal)))
    } catch (error) {
      signal.throwIfAborted()
      stage.drop(target, `under ${plan.workload.name}, ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return turns
}

const turnLine = ({ workload, peer, requestsPerSecond, cpuMicrosPerRequest }: Turn): string =>
  `${workload} ${peer}: ${requestsPerSecond.toFixed(0)} req/s, ${cpuMicrosPerRequest.toFixed(1)} µs`

const turned = <T>(list: readonly T[], by: number): T[] => [...list.slice(by % list.length), ...list.slice(0, by % list.length)]
