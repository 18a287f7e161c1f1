/** What a command that passes by may have changed, once Redis has answered it. */
import type { Name } from '../entry.ts'
import type { Reply } from '../session.ts'
import { compileKeySpec, type FindKeys, flagsOf, isOfWritten, textOf } from './key-spec.ts'

export type Effect =
  | { readonly is: 'nothing' }
  | { readonly is: 'keys'; readonly keys: readonly Name[] }
  /** Some keys: all that Redis tells of it has to be heard before its reply goes on. */
  | { readonly is: 'unknown' }
  | { readonly is: 'everything' }

export const nothing: Effect = { is: 'nothing' }
/** Of a write that came to nothing. */
export const noKeys: Effect = { is: 'keys', keys: [] }
export const unknown: Effect = { is: 'unknown' }
export const everything: Effect = { is: 'everything' }

/** `writes`: null where the keys cannot be known. */
type Kind = { readonly is: 'reads' } | { readonly is: 'writes'; readonly find: readonly FindKeys[] | null } | { readonly is: 'empties' }

const reads: Kind = { is: 'reads' }
const empties: Kind = { is: 'empties' }

/** Redis gives these no flag of writing nor of reading, and they change no key. */
const harmless: ReadonlySet<string> = new Set(
  (
    'PING ECHO SELECT AUTH HELLO CLIENT COMMAND INFO TIME LASTSAVE MULTI DISCARD WATCH UNWATCH PUBLISH SPUBLISH PUBSUB WAIT WAITAOF QUIT ' +
    'RESET ASKING READONLY READWRITE CONFIG ROLE LATENCY MEMORY OBJECT SLOWLOG ACL SAVE BGSAVE BGREWRITEAOF SCRIPT'
  ).split(' '),
)
/** Redis tells nobody of SWAPDB; the others are dropped at once as well. */
const emptying: ReadonlySet<string> = new Set(['FLUSHALL', 'FLUSHDB', 'SWAPDB', 'DEBUG'])

export class CommandTable {
  readonly #kinds: ReadonlyMap<string, Kind>

  private constructor(kinds: ReadonlyMap<string, Kind>) {
    this.#kinds = kinds
  }

  /** From the reply to COMMAND. */
  static of(commands: Reply): CommandTable {
    const kinds = new Map<string, Kind>()
    for (const command of Array.isArray(commands) ? commands : []) addKinds(kinds, command, '')
    return new CommandTable(kinds)
  }

  /** `name` in upper case; a null argument is one that was too big to be kept. */
  effectOf(name: string, args: readonly (Buffer | null)[]): Effect {
    if (emptying.has(name)) return everything
    const kind = this.#kinds.get(name) ?? this.#ofSubcommand(name, args)
    if (kind === undefined) return harmless.has(name) ? nothing : unknown
    if (kind.is === 'reads') return nothing
    return kind.is === 'empties' ? everything : keysOf(kind.find, args)
  }

  /** `XGROUP CREATE`: the container itself has no flags. */
  #ofSubcommand(name: string, args: readonly (Buffer | null)[]): Kind | undefined {
    const word = args[1]
    return word === undefined || word === null || word.length > 32
      ? undefined
      : this.#kinds.get(`${name} ${word.toString('latin1').toUpperCase()}`)
  }
}

/** Before anything is known of the server: what is surely harmless, and the rest. */
export const unknownCommands = CommandTable.of(null)

function addKinds(kinds: Map<string, Kind>, command: Reply, container: string): void {
  if (!Array.isArray(command)) return
  const [name, , flagList, , , , , , specs, subcommands] = command
  // a subcommand is told as `xgroup|create`
  const word = textOf(name).toUpperCase()
  const fullName = container === '' ? word : `${container} ${word.slice(word.indexOf('|') + 1)}`
  const hasSubcommands = Array.isArray(subcommands) && subcommands.length > 0
  if (hasSubcommands) for (const subcommand of subcommands) addKinds(kinds, subcommand, word)
  const kind = kindOf(word, flagsOf(flagList), Array.isArray(specs) ? specs : [])
  if (kind !== null && !hasSubcommands) kinds.set(fullName, kind)
}

/** Null: not known, which is for `effectOf` to judge. */
function kindOf(name: string, flags: readonly string[], specs: readonly Reply[]): Kind | null {
  if (emptying.has(name)) return empties
  // whatever a module's command says of itself
  if (flags.includes('module')) return { is: 'writes', find: null }
  // PFCOUNT calls itself a reader, and may write what it has counted
  if (flags.includes('write') || (flags.includes('readonly') && specs.some(isOfWritten))) return { is: 'writes', find: allOf(specs) }
  return flags.includes('readonly') ? reads : null
}

function allOf(specs: readonly Reply[]): readonly FindKeys[] | null {
  const finds = specs.map(compileKeySpec)
  const known = finds.filter((find) => find !== null)
  return known.length === 0 || known.length < finds.length ? null : known
}

function keysOf(finds: readonly FindKeys[] | null, args: readonly (Buffer | null)[]): Effect {
  if (finds === null) return unknown
  const keys: Name[] = []
  for (const find of finds) if (!find(args, keys)) return unknown
  return { is: 'keys', keys }
}

/** Of a transaction: so many keys are as good as unknown. */
const maxKeys = 1_024

export function both(one: Effect, other: Effect): Effect {
  if (one.is === 'nothing') return other
  if (other.is === 'nothing') return one
  if (one.is === 'everything' || other.is === 'everything') return everything
  if (one.is === 'unknown' || other.is === 'unknown') return unknown
  const keys = [...one.keys, ...other.keys]
  return keys.length > maxKeys ? unknown : { is: 'keys', keys }
}
