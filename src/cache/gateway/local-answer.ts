/** Answers a read from the view, or does not: then Redis is asked as if there were no cache. */
import { type Entry, keyOf, type Name, nameOf } from '../entry.ts'
import type { Want } from '../read-keys.ts'
import { encodeAbsent, encodeBulk, encodeHash, encodeInteger, encodeValues, type Protocol } from '../resp/encode.ts'
import type { View } from '../view.ts'

/** The commands that a view can answer, and how many words they have at least and at most. */
const words: Readonly<Record<string, readonly [least: number, most: number]>> = {
  GET: [2, 2],
  MGET: [2, Number.POSITIVE_INFINITY],
  EXISTS: [2, Number.POSITIVE_INFINITY],
  TTL: [2, 2],
  PTTL: [2, 2],
  HGET: [3, 3],
  HMGET: [3, Number.POSITIVE_INFINITY],
  HGETALL: [2, 2],
}

/** Whether a view can answer such a command at all. */
export function isLocal(name: string, length: number): boolean {
  const range = words[name]
  return range !== undefined && length >= range[0] && length <= range[1]
}

/** The reply's bytes, or null where Redis has to be asked. Of a command that `isLocal`. `now` is monotonic ms. */
export function answer(view: View, name: string, args: readonly Buffer[], protocol: Protocol, now: number): Buffer | null {
  switch (name) {
    case 'GET':
      return get(entryOf(view, args[1], now), protocol)
    case 'MGET':
      return mget(view, args, protocol, now)
    case 'EXISTS':
      return exists(view, args, now)
    case 'TTL':
      return ttl(entryOf(view, args[1], now), now, roundedSeconds)
    case 'PTTL':
      return ttl(entryOf(view, args[1], now), now, Math.ceil)
    case 'HGET':
      return hget(entryOf(view, args[1], now), args[2], protocol)
    case 'HMGET':
      return hmget(entryOf(view, args[1], now), args, protocol)
    case 'HGETALL':
      return hgetall(entryOf(view, args[1], now), protocol)
    default:
      return null
  }
}

/** The keys that the command asks for. */
export function keysOf(name: string, args: readonly Buffer[]): readonly Buffer[] {
  return name === 'MGET' || name === 'EXISTS' ? args.slice(1) : args.slice(1, 2)
}

/** What a view would have to hold for it. */
export function wantOf(name: string, args: readonly Buffer[], held: Entry | undefined, maxFields: number): Want {
  if (name === 'HGETALL') return 'hash'
  if (name !== 'HGET' && name !== 'HMGET') return 'string'
  const asked = args.slice(2).map(nameOf)
  const { payload } = held ?? {}
  // what other clients ask for stays
  const known = payload?.is === 'hash' ? [...payload.fields.keys()] : []
  const all = [...new Set([...asked, ...known])]
  return all.length > maxFields ? asked : all
}

function entryOf(view: View, key: Buffer | undefined, now: number): Entry | undefined {
  return key === undefined ? undefined : entryNamed(view, nameOf(key), now)
}

function entryNamed(view: View, name: Name, now: number): Entry | undefined {
  const entry = view.get(name)
  if (entry === undefined || now < entry.deadline) return entry
  view.drop(name)
  return undefined
}

function get(entry: Entry | undefined, protocol: Protocol): Buffer | null {
  switch (entry?.payload.is) {
    case 'string':
      return encodeBulk(entry.payload.value)
    case 'absent':
      return encodeAbsent(protocol)
    default:
      return null
  }
}

function mget(view: View, args: readonly Buffer[], protocol: Protocol, now: number): Buffer | null {
  const values: (Buffer | null)[] = []
  for (let at = 1; at < args.length; at++) {
    const payload = entryOf(view, args[at], now)?.payload
    if (payload === undefined || payload.is === 'hash') return null
    values.push(payload.is === 'absent' ? null : payload.value)
  }
  return encodeValues(values, protocol)
}

function exists(view: View, args: readonly Buffer[], now: number): Buffer | null {
  let count = 0
  for (let at = 1; at < args.length; at++) {
    const payload = entryOf(view, args[at], now)?.payload
    if (payload === undefined) return null
    if (payload.is !== 'absent') count += 1
  }
  return encodeInteger(count)
}

function ttl(entry: Entry | undefined, now: number, round: (ms: number) => number): Buffer | null {
  if (entry === undefined) return null
  if (entry.payload.is === 'absent') return encodeInteger(-2)
  return encodeInteger(entry.expiresAt === Number.POSITIVE_INFINITY ? -1 : round(entry.expiresAt - now))
}

/** As Redis rounds: 1,400 ms are 1, 1,700 are 2. */
function roundedSeconds(ms: number): number {
  return Math.floor((ms + 500) / 1_000)
}

function hget(entry: Entry | undefined, field: Buffer | undefined, protocol: Protocol): Buffer | null {
  if (entry === undefined || field === undefined) return null
  const value = fieldOf(entry, field)
  if (value === undefined) return null
  return value === null ? encodeAbsent(protocol) : encodeBulk(value)
}

function hmget(entry: Entry | undefined, args: readonly Buffer[], protocol: Protocol): Buffer | null {
  if (entry === undefined) return null
  const values: (Buffer | null)[] = []
  for (let at = 2; at < args.length; at++) {
    const value = fieldOf(entry, args[at] ?? none)
    if (value === undefined) return null
    values.push(value)
  }
  return encodeValues(values, protocol)
}

function hgetall({ payload }: Partial<Entry> = {}, protocol: Protocol): Buffer | null {
  if (payload?.is === 'absent') return encodeHash([], protocol)
  if (payload?.is !== 'hash' || !payload.whole) return null
  return encodeHash(flat(payload.fields), protocol)
}

function flat(fields: ReadonlyMap<Name, Buffer | null>): Buffer[] {
  const all: Buffer[] = []
  for (const [field, value] of fields) if (value !== null) all.push(keyOf(field), value)
  return all
}

/** Null: it is missing. Undefined: not known. */
function fieldOf({ payload }: Entry, field: Buffer): Buffer | null | undefined {
  if (payload.is === 'absent') return null
  if (payload.is !== 'hash') return undefined
  const value = payload.fields.get(nameOf(field))
  return value === undefined && payload.whole ? null : value
}

const none = Buffer.alloc(0)
