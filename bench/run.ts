/** `npm run bench`: every proxy, every workload, interleaved, in one run. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, installCommand } from '../test/kit/packages.ts'
import { connections, writeScript } from './load.ts'
import { busyNote, machineLine, versionsLine } from './machine.ts'
import { isWhole, type Options, readOptions, usage } from './options.ts'
import { directName, peers } from './peers/all.ts'
import { recordingNanos } from './recording.ts'
import { type Result, renderReport } from './report.ts'
import { runRounds } from './rounds.ts'
import { Stage } from './stage.ts'
import { aimsOf, summarize } from './summary.ts'
import type { Turn } from './turn.ts'
import { type Workload, workloads } from './workload.ts'

const resultsFile = join(import.meta.dirname, 'results.md')

async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv, [directName, ...peers.map((peer) => peer.name)])
  if (options.help) return say(usage, 0)
  const missing = missingTools()
  if (missing !== null) return say(missing, 1)
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort(new Error(`ended by ${signal}`)))
  const result = await measure(options, interrupt.signal)
  console.log(options.json ? JSON.stringify(result, null, 2) : renderReport(result))
  if (isWhole(options)) writeFileSync(resultsFile, renderReport(result))
  return result.rows.some((row) => row.errors > 0) || result.rows.length === 0 ? 1 : 0
}

async function measure(options: Options, signal: AbortSignal): Promise<Result> {
  const asked = workloads.filter((workload) => options.workloads.includes(workload.name))
  const busy = busyNote()
  const measured: Measured[] = []
  for (const workload of asked) measured.push(await measureOne(workload, options, signal))
  const rows = summarize(measured.flatMap(({ turns }) => turns))
  const notes = new Set(measured.flatMap((each) => each.notes))
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine: machineLine(),
    versions: versionsLine(),
    rounds: options.rounds,
    seconds: options.seconds,
    connections,
    workloads: asked,
    peers: [
      {
        name: directName,
        settings: 'the app itself, without a proxy and on the load core; CPU, memory and *core* are its own, *others* says nothing',
      },
      ...peers,
    ],
    notes: [...(busy === null ? [] : [busy]), ...notes, ...(measured.at(-1)?.footnotes ?? [])],
    rows,
    aims: aimsOf(rows, options.workloads, recordingNanos()),
  }
}

interface Measured {
  readonly turns: readonly Turn[]
  readonly notes: readonly string[]
  readonly footnotes: readonly string[]
}

/** With programs of its own: a process keeps what it once needed for large bodies, and would show it as the memory of small ones. */
async function measureOne(workload: Workload, { only, rounds, seconds }: Options, signal: AbortSignal): Promise<Measured> {
  const wanted = (name: string): boolean => only === null || only.includes(name)
  const stage = new Stage(workload)
  try {
    await stage.addOrigin(wanted(directName))
    for (const peer of peers.filter(({ name }) => wanted(name))) {
      signal.throwIfAborted()
      await stage.addPeer(peer)
    }
    const plan = { workload, script: writeScript(stage.folder, workload), seconds }
    const turns = await runRounds(stage, plan, rounds, signal)
    return { turns, notes: stage.notes, footnotes: stage.footnotes() }
  } finally {
    await stage.stop()
  }
}

function missingTools(): string | null {
  if (process.platform !== 'linux') return 'the bench reads /proc: it runs on Linux only'
  const missing = (['wrk', 'taskset', 'nginx', 'haproxy'] as const).filter((program) => findProgram(program) === null)
  if (missing.length === 0) return null
  return `the bench needs ${missing.join(' and ')}: ${installCommand(missing)}`
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
