/** The table of commands. Each is loaded when it is called, so that the keeper stays small. */

import { nearest } from '../config/nearest.ts'
import { BatonError } from '../errors.ts'
import type { Command } from './command.ts'

interface Entry {
  readonly summary: string
  /** Called by baton itself; not shown to people. */
  readonly hidden?: true
  load(): Promise<{ readonly command: Command }>
}

export const commands: Readonly<Record<string, Entry>> = {
  run: { summary: 'serve', load: () => import('./run.ts') },
  check: { summary: 'say all that is wrong with a configuration', load: () => import('./check.ts') },
  schema: { summary: "print the configuration's JSON Schema, for editors", load: () => import('./schema.ts') },
  status: { summary: 'show what the running baton does', load: () => import('./status.ts') },
  route: { summary: 'say where a request would go, and why', load: () => import('./route.ts') },
  version: { summary: "print baton's version", load: () => import('./version.ts') },
  help: { summary: 'print this, or the usage of a command', load: () => import('./help.ts') },
  listeners: { summary: 'what the keeper has to bind', hidden: true, load: () => import('./listeners.ts') },
  generation: { summary: 'the process that serves, started by the keeper', hidden: true, load: () => import('./generation.ts') },
}

const alias: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version', '-v': 'version' }

/** @throws BatonError `usage`. */
export async function findCommand(argv: readonly string[]): Promise<{ command: Command; args: readonly string[] }> {
  const [given = 'help', ...args] = argv
  const entry = commands[alias[given] ?? given]
  if (argv.length === 0) throw new BatonError('usage', 'a command is missing; "baton help" lists them')
  if (entry === undefined || !Object.hasOwn(commands, alias[given] ?? given)) throw unknown(given)
  const { command } = await entry.load()
  return { command, args }
}

function unknown(given: string): BatonError {
  const close = nearest(
    given,
    Object.keys(commands).filter((name) => commands[name]?.hidden !== true),
  )
  return new BatonError('usage', `unknown command "${given}"${close === null ? '' : `, did you mean "${close}"?`}; "baton help" lists them`)
}
