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
  upgrade: { summary: 'move stable to another version, step by step', load: () => import('./upgrade.ts') },
  promote: { summary: 'go on to the next step of the running upgrade', load: () => import('./promote.ts') },
  pause: { summary: 'keep the running upgrade where it is', load: () => import('./pause.ts') },
  resume: { summary: 'let a paused upgrade go on', load: () => import('./resume.ts') },
  rollback: { summary: 'take the running upgrade back, or the last one', load: () => import('./rollback.ts') },
  history: { summary: 'list the upgrades so far', load: () => import('./history.ts') },
  explain: { summary: 'tell all of one upgrade', load: () => import('./explain.ts') },
  stable: { summary: 'make a version stable now', load: () => import('./stable.ts') },
  drain: { summary: 'give a version no new exchange', load: () => import('./drain.ts') },
  undrain: { summary: 'let a version take exchanges again', load: () => import('./undrain.ts') },
  retire: { summary: 'drain a version and stop its process', load: () => import('./retire.ts') },
  hold: { summary: 'let new requests wait', load: () => import('./hold.ts') },
  release: { summary: 'let held requests go on', load: () => import('./release.ts') },
  cache: { summary: 'what is kept of Redis for the versions', load: () => import('./cache.ts') },
  config: { summary: 'the configuration that a fleet takes from etcd', load: () => import('./config.ts') },
  fleet: { summary: 'list the instances that share a configuration in etcd', load: () => import('./fleet.ts') },
  route: { summary: 'say where a request would go, and why', load: () => import('./route.ts') },
  version: { summary: "print baton's version", load: () => import('./version.ts') },
  help: { summary: 'print this', load: () => import('./help.ts') },
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
