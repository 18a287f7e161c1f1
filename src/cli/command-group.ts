/** A command that is made of others: `baton config put`. */
import { nearest } from '../config/nearest.ts'
import { BatonError, exitCode } from '../errors.ts'
import type { Command } from './command.ts'

export type Subcommands = Readonly<Record<string, () => Promise<{ readonly command: Command }>>>

export function commandGroup(group: string, usage: string, subcommands: Subcommands): Command {
  return {
    async run([name, ...args], context) {
      if (name === '--help' || name === '-h') {
        context.print(`${usage}\n`)
        return exitCode.done
      }
      const load = name !== undefined && Object.hasOwn(subcommands, name) ? subcommands[name] : undefined
      if (load === undefined) throw unknown(group, name, Object.keys(subcommands))
      const { command } = await load()
      return await command.run(args, context)
    },
  }
}

function unknown(group: string, name: string | undefined, names: readonly string[]): BatonError {
  if (name === undefined) return new BatonError('usage', `which one? baton ${group} ${listed(names, 'or')}`)
  const close = nearest(name, names)
  const hint = close === null ? `; there is ${listed(names, 'and')}` : `, did you mean "${close}"?`
  return new BatonError('usage', `unknown command "${group} ${name}"${hint}`)
}

function listed(names: readonly string[], word: string): string {
  return `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`
}
