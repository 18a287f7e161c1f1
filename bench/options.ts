/** The command line of the bench. */
import { parseArgs } from 'node:util'
import { workloads } from './workload.ts'

export interface Options {
  readonly json: boolean
  readonly rounds: number
  /** Of one timed turn. */
  readonly seconds: number
  readonly only: readonly string[] | null
  readonly workloads: readonly string[]
  readonly help: boolean
}

export const usage = `npm run bench -- [--rounds N] [--seconds S] [--only baton,nginx,…] [--workload small,64k,1m,post] [--json]
A whole run writes bench/results.md; a run with --only, --workload or --json writes nothing.`

/** Throws an Error of one line on a flag or value that it does not know. */
export function readOptions(argv: readonly string[], peers: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      only: { type: 'string' },
      workload: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const names = workloads.map((workload) => workload.name)
  return {
    json: values.json,
    rounds: count('rounds', values.rounds, 100),
    seconds: count('seconds', values.seconds, 600),
    only: values.only === undefined ? null : list('only', values.only, peers),
    workloads: values.workload === undefined ? names : list('workload', values.workload, names),
    help: values.help,
  }
}

/** A whole run is one whose numbers may stand in results.md. */
export function isWhole(options: Options): boolean {
  return options.only === null && options.workloads.length === workloads.length && !options.json
}

function count(flag: string, text: string, max: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new Error(`--${flag}: found "${text}", expected a whole number from 1 to ${max}`)
  return value
}

function list(flag: string, text: string, known: readonly string[]): string[] {
  const names = text.split(',').filter((name) => name !== '')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined || names.length === 0) throw new Error(`--${flag}: found "${unknown ?? text}", expected of ${known.join(', ')}`)
  return names
}
