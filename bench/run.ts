/** `npm run bench`: every proxy, every workload, interleaved, in one run. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connections, writeScript } from './load.ts'
import { hasCommand, machineLine, versionsLine } from './machine.ts'
import { isWhole, type Options, readOptions, usage } from './options.ts'
import { directName, peers } from './peers/all.ts'
import { type Result, renderReport } from './report.ts'
import { Stage } from './stage.ts'
import { aimsOf, summarize } from './summary.ts'
import { runTurn, type Target, type Turn, type TurnPlan } from './turn.ts'
import { type Workload, workloads } from './workload.ts'

const resultsFile = join(import.meta.dirname, 'results.md')
const warmUpSeconds = 1

async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv, [directName, ...peers.map((peer) => peer.name)])
  if (options.help) return say(usage, 0)
  const missing = missingTools()
  if (missing !== null) return say(missing, 1)
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort(new Error(`ended by ${signal}`)))
  const stage = new Stage()
  try {
    const result = await measure(stage, options, interrupt.signal)
    console.log(options.json ? JSON.stringify(result, null, 2) : renderReport(result))
    if (isWhole(options)) writeFileSync(resultsFile, renderReport(result))
    return result.rows.some((row) => row.errors > 0) || result.rows.length === 0 ? 1 : 0
  } finally {
    await stage.stop()
  }
}

async function measure(stage: Stage, options: Options, signal: AbortSignal): Promise<Result> {
  const asked = workloads.filter((workload) => options.workloads.includes(workload.name))
  const wanted = (name: string): boolean => options.only === null || options.only.includes(name)
  await stage.addOrigin(asked)
  for (const peer of peers.filter(({ name }) => wanted(name))) {
    signal.throwIfAborted()
    await stage.addPeer(peer, asked)
  }
  for (const note of stage.notes) console.error(note)
  const rows = summarize(
    await runRounds(
      stage,
      stage.targets.filter(({ name }) => wanted(name)),
      asked,
      options,
      signal,
    ),
  )
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine: machineLine(),
    versions: versionsLine(),
    rounds: options.rounds,
    seconds: options.seconds,
    connections,
    workloads: asked,
    peers: [{ name: directName, settings: 'the app itself, without a proxy and on the load core; CPU and memory are its own' }, ...peers],
    notes: [...stage.notes, ...stage.footnotes()],
    rows,
    aims: aimsOf(
      rows,
      asked.map(({ name }) => name),
    ),
  }
}

/** Round by round, workload by workload, proxy by proxy: what disturbs the machine disturbs all of them. The order turns with the round. */
async function runRounds(
  stage: Stage,
  targets: readonly Target[],
  asked: readonly Workload[],
  options: Options,
  signal: AbortSignal,
): Promise<Turn[]> {
  const plans = asked.map((workload): TurnPlan => ({ workload, script: writeScript(stage.folder, workload), seconds: options.seconds }))
  for (const plan of plans) for (const target of targets) await runTurn(target, { ...plan, seconds: warmUpSeconds }, signal)
  const turns: Turn[] = []
  for (let round = 0; round < options.rounds; round++) {
    for (const plan of plans) {
      for (const target of turned(targets, round)) {
        const turn = await runTurn(target, plan, signal)
        turns.push(turn)
        console.error(
          `round ${round + 1}/${options.rounds} ${turn.workload} ${turn.peer}: ${turn.requestsPerSecond.toFixed(0)} req/s, ${turn.cpuMicrosPerRequest.toFixed(1)} µs`,
        )
      }
    }
  }
  return turns
}

const turned = <T>(list: readonly T[], by: number): T[] => [...list.slice(by % list.length), ...list.slice(0, by % list.length)]

function missingTools(): string | null {
  if (process.platform !== 'linux') return 'the bench reads /proc: it runs on Linux only'
  const missing = [
    { command: 'wrk', package: 'wrk' },
    { command: 'nginx', package: 'nginx-light' },
    { command: 'taskset', package: 'util-linux' },
  ].filter(({ command }) => !hasCommand(command))
  if (missing.length === 0) return null
  return `the bench needs ${missing.map(({ command }) => command).join(' and ')}: apt-get install ${missing.map((tool) => tool.package).join(' ')}`
}

function say(line: string, code: number): number {
  console.error(line)
  return code
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = say(error instanceof Error ? error.message : String(error), 1)
}
