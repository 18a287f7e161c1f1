/** Keys read through the tracked connection: no reply is bigger than what may be kept of it. */
import { type Name, nameOf, type Payload } from './entry.ts'
import type { Reply, Session, Words } from './session.ts'

/** What is asked of a key: its value as a string, whatever it is, the whole hash, or some fields of one. */
export type Want = 'string' | 'any' | 'hash' | readonly Name[]

export interface ReadLimits {
  /** Of a value, or of a hash as Redis stores it. */
  readonly maxValueBytes: number
  /** A hash with more is read by the fields asked for only. */
  readonly maxFields: number
}

export interface Request {
  readonly key: Buffer
  readonly want: Want
}

export type Read =
  /** `ttlMs`: null without a TTL. */
  | { readonly is: 'read'; readonly payload: Payload; readonly ttlMs: number | null }
  /** Not to be kept, and why. */
  | { readonly is: 'refused'; readonly why: string }

/** One read a request, in their order. @throws when the session is lost */
export async function readKeys(session: Session, requests: readonly Request[], limits: ReadLimits): Promise<readonly Read[]> {
  const firsts = await pipelined(
    session,
    requests.map(({ key, want }) => (want === 'string' || want === 'any' ? stringWords(key, limits) : hashWords(key))),
  )
  const reads = firsts.map((replies, at) => judgeFirst(requests[at]?.want ?? 'string', replies, limits))
  return readHashes(session, requests, reads, limits)
}

/** A first look that shows a hash leads to a second one: that its size is known before it is asked for. */
type Look =
  | Read
  | { readonly is: 'of-another-type' }
  | { readonly is: 'hash'; readonly ttlMs: number | null; readonly fields: readonly Name[] | null }

function stringWords(key: Buffer, { maxValueBytes }: ReadLimits): readonly Words[] {
  // one byte more than may be kept, and never a hundred megabytes
  return [
    ['GETRANGE', key, 0, maxValueBytes],
    ['PTTL', key],
  ]
}

function hashWords(key: Buffer): readonly Words[] {
  return [
    ['HLEN', key],
    ['PTTL', key],
    ['MEMORY', 'USAGE', key],
  ]
}

function judgeFirst(want: Want, replies: readonly Reply[], limits: ReadLimits): Look {
  const [first, pttl] = replies
  if (first instanceof Error) {
    const isHash = want === 'any' && first.message.startsWith('WRONGTYPE')
    return isHash ? { is: 'of-another-type' } : { is: 'refused', why: first.message }
  }
  if (typeof pttl !== 'number') return { is: 'refused', why: pttl instanceof Error ? pttl.message : 'no PTTL' }
  return want === 'string' || want === 'any' ? judgeString(first, pttl, limits) : judgeHash(want, replies, pttl, limits)
}

function judgeString(value: Reply | undefined, pttl: number, { maxValueBytes }: ReadLimits): Read {
  if (!Buffer.isBuffer(value)) return { is: 'refused', why: 'not a string' }
  if (value.length > maxValueBytes) return { is: 'refused', why: `above ${maxValueBytes} bytes` }
  if (pttl !== -2) return { is: 'read', payload: { is: 'string', value: copyOf(value) }, ttlMs: ttlOf(pttl) }
  return value.length === 0 ? absent : { is: 'refused', why: 'it changed while it was read' }
}

function judgeHash(want: Want, [length, , memory]: readonly Reply[], pttl: number, limits: ReadLimits): Look {
  if (typeof length !== 'number') return { is: 'refused', why: 'not a hash' }
  if (pttl === -2) return length === 0 ? absent : { is: 'refused', why: 'it changed while it was read' }
  const isSmall = length <= limits.maxFields && (typeof memory !== 'number' || memory <= limits.maxValueBytes)
  if (isSmall) return { is: 'hash', ttlMs: ttlOf(pttl), fields: null }
  if (typeof want === 'string') return { is: 'refused', why: `a hash of ${length} fields` }
  return want.length > limits.maxFields ? { is: 'refused', why: `${want.length} fields` } : { is: 'hash', ttlMs: ttlOf(pttl), fields: want }
}

async function readHashes(session: Session, requests: readonly Request[], looks: readonly Look[], limits: ReadLimits): Promise<Read[]> {
  const keyAt = (at: number) => requests[at]?.key ?? Buffer.alloc(0)
  const others = looks.flatMap((look, at) => (look.is === 'of-another-type' ? [at] : []))
  const seconds = await pipelined(
    session,
    others.map((at) => hashWords(keyAt(at))),
  )
  const known = [...looks]
  for (const [index, at] of others.entries()) known[at] = judgeFirst('hash', seconds[index] ?? [], limits)
  const hashes = known.flatMap((look, at) => (look.is === 'hash' ? [{ at, look }] : []))
  const replies = await pipelined(
    session,
    hashes.map(({ at, look }) => [look.fields === null ? ['HGETALL', keyAt(at)] : ['HMGET', keyAt(at), ...look.fields.map(latin1)]]),
  )
  for (const [index, { at, look }] of hashes.entries()) known[at] = hashOf(replies[index]?.[0], look.fields, look.ttlMs, limits)
  await refuseExpiringFields(session, known, keyAt)
  return known.map((look) => (look.is === 'read' || look.is === 'refused' ? look : { is: 'refused', why: 'of another type' }))
}

function hashOf(reply: Reply | undefined, asked: readonly Name[] | null, ttlMs: number | null, limits: ReadLimits): Read {
  if (!Array.isArray(reply)) return { is: 'refused', why: reply instanceof Error ? reply.message : 'not a hash' }
  const fields = new Map<Name, Buffer | null>()
  let bytes = 0
  const values: readonly Reply[] = asked === null ? reply.filter((_, at) => at % 2 === 1) : reply
  const names: readonly Name[] = asked ?? reply.flatMap((field, at) => (at % 2 === 0 && Buffer.isBuffer(field) ? [nameOf(field)] : []))
  for (const [at, name] of names.entries()) {
    const value = values[at]
    fields.set(name, Buffer.isBuffer(value) ? copyOf(value) : null)
    bytes += Buffer.isBuffer(value) ? value.length : 0
  }
  if (bytes > limits.maxValueBytes) return { is: 'refused', why: `above ${limits.maxValueBytes} bytes` }
  return { is: 'read', payload: { is: 'hash', fields, whole: asked === null }, ttlMs }
}

/** A field with a TTL of its own (Redis 7.4) ends without the key's: such a hash is not kept. */
async function refuseExpiringFields(session: Session, looks: Look[], keyAt: (at: number) => Buffer): Promise<void> {
  if (!hasFieldTtls(session.server.version)) return
  const hashes = looks.flatMap((look, at) => {
    if (look.is !== 'read' || look.payload.is !== 'hash') return []
    return [{ at, names: [...look.payload.fields.keys()] }]
  })
  const replies = await pipelined(
    session,
    hashes.map(({ at, names }) => [['HPTTL', keyAt(at), 'FIELDS', names.length, ...names.map(latin1)]]),
  )
  for (const [index, { at }] of hashes.entries()) {
    const ttls = replies[index]?.[0]
    const isLasting = Array.isArray(ttls) && ttls.every((ttl) => ttl === -1 || ttl === -2)
    if (!isLasting) looks[at] = { is: 'refused', why: 'its fields have TTLs of their own' }
  }
}

export function hasFieldTtls(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 7 || (major === 7 && minor >= 4)
}

/** The replies of each group of commands, sent in one piece. */
async function pipelined(session: Session, groups: readonly (readonly Words[])[]): Promise<(readonly Reply[])[]> {
  const commands = groups.flat()
  if (commands.length === 0) return []
  const replies = await session.read(commands)
  let at = 0
  return groups.map((group) => {
    at += group.length
    return replies.slice(at - group.length, at)
  })
}

const absent: Read = { is: 'read', payload: { is: 'absent' }, ttlMs: null }

/** Of its own: a slice of a pool or of a chunk would hold all of that. */
function copyOf(value: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(value.length)
  value.copy(copy)
  return copy
}

function ttlOf(pttl: number): number | null {
  return pttl < 0 ? null : pttl
}

function latin1(name: Name): Buffer {
  return Buffer.from(name, 'latin1')
}
