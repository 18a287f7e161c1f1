/** The JSON of etcd's gateway: keys and values in base64, 64-bit numbers as texts, what is empty left out. */
import type { KeyValue, StoreHeader, Unchanged, WatchEvent, Write } from './store.ts'

export type Json = Readonly<Record<string, unknown>>

export function requestOf(write: Write): Json {
  if (write.is === 'delete') return { request_delete_range: { key: base64(write.key) } }
  const lease = write.lease === undefined || write.lease === null ? {} : { lease: write.lease }
  return { request_put: { key: base64(write.key), value: base64(write.value), ...lease } }
}

/** One of a transaction's conditions; of a prefix it is one as well, however many keys there are: etcd takes 128 in all. */
export function comparisonOf(unchanged: Unchanged): Json {
  if ('prefix' in unchanged) {
    return { ...rangeOf(unchanged.prefix), target: 'MOD', result: 'LESS', mod_revision: String(unchanged.since + 1) }
  }
  return { key: base64(unchanged.key), target: 'MOD', result: 'EQUAL', mod_revision: String(unchanged.revision) }
}

/** The keys that begin with `prefix`: up to the prefix with its last byte one higher. */
export function rangeOf(prefix: string): { readonly key: string; readonly range_end: string } {
  const bytes = Buffer.from(prefix)
  let last = bytes.length - 1
  while (last >= 0 && bytes[last] === 0xff) last--
  if (last < 0) return { key: bytes.toString('base64'), range_end: Buffer.of(0).toString('base64') }
  const end = Buffer.from(bytes.subarray(0, last + 1))
  end.writeUInt8(end.readUInt8(last) + 1, last)
  return { key: bytes.toString('base64'), range_end: end.toString('base64') }
}

export function eventOf(event: unknown): WatchEvent {
  const { type, kv } = mappingOf(event)
  const entry = entryOf(kv)
  return type === 'DELETE' ? { is: 'delete', key: entry.key, revision: entry.revision } : { is: 'put', entry }
}

export function entryOf(kv: unknown): KeyValue {
  const { key, value, mod_revision, lease } = mappingOf(kv)
  return {
    key: plain(key),
    value: plain(value),
    revision: revisionOf(mod_revision),
    lease: lease === undefined || lease === '0' ? null : String(lease),
  }
}

export function headerOf(answer: Json): StoreHeader {
  const { cluster_id, revision } = mappingOf(answer.header)
  return { cluster: textOf(cluster_id), revision: revisionOf(revision) }
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function plain(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : ''
}

export function mappingOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** @throws Error as all that reads an answer, which may be no etcd's. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new Error('an answer that etcd does not give: a field is missing')
}

function revisionOf(value: unknown): number {
  const revision = Number(textOf(value))
  if (Number.isSafeInteger(revision)) return revision
  throw new Error(`an answer that etcd does not give: the revision is ${JSON.stringify(value)}`)
}

export function parse(text: string): Json {
  try {
    return mappingOf(JSON.parse(text))
  } catch (error) {
    throw new Error(`an answer that is no JSON: ${JSON.stringify(text.slice(0, 200))}`, { cause: error })
  }
}
