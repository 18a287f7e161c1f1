import {
  type Command,
  type CommandLimits,
  CommandParser,
  type CommandReceiver,
  type KnownArguments,
} from '../../../src/cache/resp/command-parser.ts'
import { ProtocolError } from '../../../src/cache/resp/protocol-error.ts'

/** What a parser gave, as text (latin1), with the parts of a command put together. */
export type Given =
  | { readonly name: string; readonly args: readonly string[]; readonly bytes: string }
  | { readonly began: readonly (string | null)[]; readonly args: readonly (string | null)[]; readonly bytes: string }
  | { readonly error: string }

/** Pushes the chunks to a parser of its own, up to its error. What is in parts and has no end is left out. */
export function parsed(limits: CommandLimits, chunks: readonly Buffer[]): Given[] {
  const recorder = new Recorder()
  const parser = new CommandParser(limits, recorder)
  try {
    for (const chunk of chunks) if (parser.push(chunk) !== null) throw new Error('nobody said stop')
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    recorder.given.push({ error: error.message })
  }
  return recorder.given
}

export class Recorder implements CommandReceiver {
  readonly given: Given[] = []
  readonly parts: Buffer[] = []
  #began: KnownArguments = []

  command({ name, args, bytes }: Command): boolean {
    this.given.push({ name, args: args.map(latin1), bytes: latin1(bytes) })
    return true
  }

  began(args: KnownArguments): void {
    this.#began = args
    this.parts.length = 0
  }

  part(bytes: Buffer): void {
    this.parts.push(bytes)
  }

  ended(args: KnownArguments): boolean {
    this.given.push({ began: this.#began.map(known), args: args.map(known), bytes: latin1(Buffer.concat(this.parts)) })
    return true
  }
}

function known(arg: Buffer | null): string | null {
  return arg === null ? null : latin1(arg)
}

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1')
}
