/** Which header fields a proxy has to look at. One switch by length, so that most names cost one comparison of numbers. */
import type { Raw } from '../routing/route.ts'

export const field = {
  plain: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  upgrade: 5,
  expect: 6,
  /** Hop-by-hop whatever `Connection` says (RFC 9110 section 7.6.1). */
  hop: 7,
  via: 8,
  forwarded: 9,
  forwardedFor: 10,
  forwardedProto: 11,
  forwardedHost: 12,
  /** `baton-…`: ours to set, never a client's. */
  baton: 13,
  te: 14,
  maxForwards: 15,
} as const
export type Field = (typeof field)[keyof typeof field]

const byLength: ReadonlyArray<readonly (readonly [string, Field])[]> = tableByLength([
  ['te', field.te],
  ['via', field.via],
  ['host', field.host],
  ['expect', field.expect],
  ['upgrade', field.upgrade],
  ['forwarded', field.forwarded],
  ['connection', field.connection],
  ['keep-alive', field.hop],
  ['max-forwards', field.maxForwards],
  ['content-length', field.contentLength],
  ['http2-settings', field.hop],
  ['x-forwarded-for', field.forwardedFor],
  ['proxy-connection', field.hop],
  ['x-forwarded-host', field.forwardedHost],
  ['transfer-encoding', field.transferEncoding],
  ['x-forwarded-proto', field.forwardedProto],
])

/** The kind of a field name in any case. */
export function fieldOf(name: string): Field {
  const candidates = byLength[name.length]
  if (candidates !== undefined && candidates.length > 0) {
    for (const [known, kind] of candidates) {
      // the last byte tells nearly all of them from what is not theirs, without a copy in lower case
      if ((name.charCodeAt(name.length - 1) | 0x20) === known.charCodeAt(known.length - 1) && name.toLowerCase() === known) return kind
    }
  }
  return isBaton(name) ? field.baton : field.plain
}

function isBaton(name: string): boolean {
  return (
    name.length > 6 && name.charCodeAt(5) === 0x2d && (name.charCodeAt(0) | 0x20) === 0x62 && name.slice(0, 5).toLowerCase() === 'baton'
  )
}

function tableByLength(entries: readonly (readonly [string, Field])[]): ReadonlyArray<readonly (readonly [string, Field])[]> {
  const table: (readonly [string, Field])[][] = []
  for (let length = 0; length <= 32; length += 1) table.push(entries.filter(([name]) => name.length === length))
  return table
}

/** Several fields of one name are one list (RFC 9110 section 5.3). null without any. */
export function joinedValue(raw: Raw, kind: Field): string | null {
  let joined: string | null = null
  for (let at = 0; at < raw.length; at += 2) {
    if (fieldOf(raw[at] ?? '') === kind) joined = joined === null ? (raw[at + 1] ?? '') : `${joined},${raw[at + 1]}`
  }
  return joined
}

/** Of the first field of this name (in lower case). */
export function fieldValue(raw: Raw, name: string): string | undefined {
  for (let at = 0; at < raw.length; at += 2) {
    const found = raw[at] ?? ''
    if (found.length === name.length && found.toLowerCase() === name) return raw[at + 1]
  }
  return undefined
}
