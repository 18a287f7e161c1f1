/** The one shape of a command: its usage, its options, and what it does with them. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { nearest } from '../config/nearest.ts'
import { BatonError, errorMessage, exitCode } from '../errors.ts'
import type { World } from '../world.ts'
import type { Terminal } from './terminal.ts'

export interface Context extends Terminal {
  readonly world: World
}

export interface Command {
  run(args: readonly string[], context: Context): Promise<number>
}

type Values<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>['values']

export interface CommandSpec<O extends ParseArgsOptionsConfig> {
  /** First line: how it is called. The rest: what it does, its options, its exit codes. */
  readonly usage: string
  readonly options: O
  /** Names of the arguments that must be given, in order. */
  readonly positionals: readonly string[]
  /** Of those after them that may be given. */
  readonly optional?: readonly string[]
  run(values: Values<O>, positionals: readonly string[], context: Context): Promise<number>
}

export function command<const O extends ParseArgsOptionsConfig>(spec: CommandSpec<O>): Command {
  return {
    async run(args, context) {
      if (args.includes('--help') || args.includes('-h')) {
        context.print(`${spec.usage}\n`)
        return exitCode.done
      }
      const { values, positionals } = parse(spec, args)
      return await spec.run(values, positionals, context)
    },
  }
}

function parse<O extends ParseArgsOptionsConfig>(spec: CommandSpec<O>, args: readonly string[]) {
  const call = spec.usage.split('\n', 1)[0] ?? ''
  refuseUnknown(args, spec.options, call)
  const { values, positionals } = read(spec, args, call)
  const missing = spec.positionals[positionals.length]
  if (missing !== undefined) throw new BatonError('usage', `${missing} is missing; ${call}`)
  const most = spec.positionals.length + (spec.optional?.length ?? 0)
  if (positionals.length > most) throw new BatonError('usage', `one argument too many: "${positionals[most]}"; ${call}`)
  return { values, positionals }
}

function read<O extends ParseArgsOptionsConfig>(spec: CommandSpec<O>, args: readonly string[], call: string) {
  try {
    return parseArgs({ args: [...args], options: spec.options, allowPositionals: true })
  } catch (error) {
    throw new BatonError('usage', `${errorMessage(error).split('\n', 1)[0]}; ${call}`, error)
  }
}

/** Before parseArgs, whose own message suggests no option. */
function refuseUnknown(args: readonly string[], options: ParseArgsOptionsConfig, call: string): void {
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option' || Object.hasOwn(options, token.name)) continue
    const close = nearest(token.name, Object.keys(options))
    throw new BatonError('usage', `unknown option ${token.rawName}${close === null ? '' : `, did you mean --${close}?`}; ${call}`)
  }
}
