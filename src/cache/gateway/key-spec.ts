/** The keys of a command by the key specifications that Redis tells of it (COMMAND, since 7.0), compiled once. */
import { type Name, nameOf } from '../entry.ts'
import type { Reply } from '../session.ts'

/** Adds the keys of one specification to `keys`. False: they cannot be known from the words alone. */
export type FindKeys = (args: readonly (Buffer | null)[], keys: Name[]) => boolean

/** Null for a specification that says itself that it is incomplete, or that this build does not know. */
export function compileKeySpec(spec: Reply): FindKeys | null {
  const parts = mapOf(spec)
  if (flagsOf(parts.get('flags')).includes('incomplete')) return null
  const begin = compileBegin(mapOf(parts.get('begin_search')))
  const find = compileFind(mapOf(parts.get('find_keys')))
  if (begin === null || find === null) return null
  return (args, keys) => {
    const first = begin(args)
    // a keyword that is not there: no keys
    return first === null || find(args, first, keys)
  }
}

/** Whether the keys of this specification may be changed: overwritten, read and written, or removed. */
export function isOfWritten(spec: Reply): boolean {
  return flagsOf(mapOf(spec).get('flags')).some((flag) => flag === 'ow' || flag === 'rw' || flag === 'rm')
}

/** Index of the first key; null: there is none. */
type Begin = (args: readonly (Buffer | null)[]) => number | null
type Find = (args: readonly (Buffer | null)[], first: number, keys: Name[]) => boolean

function compileBegin(search: ReadonlyMap<string, Reply>): Begin | null {
  const spec = mapOf(search.get('spec'))
  switch (textOf(search.get('type'))) {
    case 'index': {
      const index = numberOf(spec.get('index'))
      return () => index
    }
    case 'keyword': {
      const keyword = textOf(spec.get('keyword')).toUpperCase()
      const from = numberOf(spec.get('startfrom'))
      return (args) => keywordAt(args, keyword, from)
    }
    default:
      return null
  }
}

function compileFind(search: ReadonlyMap<string, Reply>): Find | null {
  const spec = mapOf(search.get('spec'))
  switch (textOf(search.get('type'))) {
    case 'range': {
      const [last, step, limit] = [numberOf(spec.get('lastkey')), numberOf(spec.get('keystep')), numberOf(spec.get('limit'))]
      return (args, first, keys) => take(args, first, lastOf(args.length, first, last, limit), step, keys)
    }
    case 'keynum': {
      const [at, firstKey, step] = [numberOf(spec.get('keynumidx')), numberOf(spec.get('firstkey')), numberOf(spec.get('keystep'))]
      return (args, first, keys) => {
        const count = Number(args[first + at]?.toString('latin1'))
        if (!Number.isSafeInteger(count) || count < 0) return false
        return take(args, first + firstKey, first + firstKey + (count - 1) * step, step, keys)
      }
    }
    default:
      return null
  }
}

/** `last` is relative to the first; negative: from the end, and with a limit only that part of the rest. */
function lastOf(length: number, first: number, last: number, limit: number): number {
  if (last >= 0) return first + last
  if (last === -1 && limit > 1) return first + Math.floor((length - first) / limit) - 1
  return length + last
}

function take(args: readonly (Buffer | null)[], first: number, last: number, step: number, keys: Name[]): boolean {
  for (let at = first; at <= last && at < args.length; at += Math.max(1, step)) {
    const key = args[at]
    if (key === undefined || key === null) return false
    keys.push(nameOf(key))
  }
  return true
}

/** Negative: searched from that far from the end, backwards. */
function keywordAt(args: readonly (Buffer | null)[], keyword: string, from: number): number | null {
  const [start, step] = from >= 0 ? [from, 1] : [args.length + from, -1]
  for (let at = start; at > 0 && at < args.length; at += step) {
    if (args[at]?.toString('latin1').toUpperCase() === keyword) return at + 1
  }
  return null
}

/** A map as RESP2 has it: name, value, name, value … */
function mapOf(reply: Reply | undefined): ReadonlyMap<string, Reply> {
  const map = new Map<string, Reply>()
  if (!Array.isArray(reply)) return map
  for (let at = 0; at + 1 < reply.length; at += 2) map.set(textOf(reply[at]), reply[at + 1])
  return map
}

export function flagsOf(reply: Reply | undefined): readonly string[] {
  return Array.isArray(reply) ? reply.map((flag) => textOf(flag).toLowerCase()) : []
}

export function textOf(reply: Reply | undefined): string {
  return Buffer.isBuffer(reply) ? reply.toString('latin1') : ''
}

function numberOf(reply: Reply | undefined): number {
  return typeof reply === 'number' ? reply : Number(textOf(reply))
}
