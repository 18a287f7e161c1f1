/** `baton config …`: the configuration in etcd. */
import { nearest } from '../config/nearest.ts'
import { BatonError, exitCode } from '../errors.ts'
import type { Command } from './command.ts'

const usage = `usage: baton config COMMAND -c FILE [options]

The configuration that a fleet of batons takes from etcd.

  put FILE      write FILE's content, if nobody else was faster and every instance would take it
  get           print it, or one before it
  diff [FILE]   what FILE, or an earlier one, has otherwise
  history       who wrote what, when
  rollback REV  write an earlier one again

"baton config COMMAND --help" tells more.`

export const subcommands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  put: () => import('./config-put.ts'),
  get: () => import('./config-get.ts'),
  diff: () => import('./config-diff.ts'),
  history: () => import('./config-history.ts'),
  rollback: () => import('./config-rollback.ts'),
}

export const command: Command = {
  async run([name, ...args], context) {
    if (name === '--help' || name === '-h') {
      context.print(`${usage}\n`)
      return exitCode.done
    }
    const load = name !== undefined && Object.hasOwn(subcommands, name) ? subcommands[name] : undefined
    if (load === undefined) throw unknown(name)
    const { command } = await load()
    return await command.run(args, context)
  },
}

function unknown(name: string | undefined): BatonError {
  if (name === undefined) return new BatonError('usage', 'which one? baton config put, get, diff, history or rollback')
  const close = nearest(name, Object.keys(subcommands))
  const hint = close === null ? '; there is put, get, diff, history and rollback' : `, did you mean "${close}"?`
  return new BatonError('usage', `unknown command "config ${name}"${hint}`)
}
