/**
 * The header fields of a message on its way through: what is hop-by-hop stays (RFC 9110 section 7.6.1), what says whence a request came
 * is added (RFC 7239 and its forerunners, RFC 9110 section 7.6.3), everything else keeps its order, case and duplicates.
 */
import type { Raw } from '../routing/route.ts'
import { connectionTokens } from './connection-tokens.ts'
import { type Field, field, fieldOf } from './field.ts'
import type { Head } from './inbound/inbound.ts'
import { forwardedHops } from './max-forwards.ts'

const pseudonym = 'baton'

/**
 * `Connection` may not take these away, whatever it lists: they say where a message ends, whom it is for, who sent it and what it is.
 * A client that could would take a session or a credential out of a request behind the back of what added it.
 */
const endToEnd: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'cache-control',
  'location',
  'origin',
  'referer',
  'traceparent',
  'tracestate',
  'x-real-ip',
  'x-request-id',
])

function mayStrip(listed: ReadonlySet<string>, name: string): boolean {
  const lower = name.toLowerCase()
  return listed.has(lower) && !endToEnd.has(lower)
}

/** What the app is sent: the client's fields without the hop-by-hop ones, then `set`, then baton's own. */
export function requestFields(head: Head, version: string, set: Raw): string[] {
  const { raw, listed, peer } = head
  const out: string[] = ['host', head.authority]
  const before: Forwarded = { via: '', forwarded: '', for: '', proto: '', host: '' }
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    const kind = fieldOf(name)
    if (kind === field.plain || kind === field.contentLength || kind === field.maxForwards) {
      if (listed !== null && mayStrip(listed, name)) continue
      if (set.length > 0 && isSet(set, name)) continue
      out.push(name, kind === field.maxForwards ? forwardedHops(head.method, value) : value)
    } else keepForwarded(before, kind, value, peer.trusted)
  }
  for (let at = 0; at < set.length; at += 2) out.push(set[at] ?? '', set[at + 1] ?? '')
  addForwarded(out, before, head)
  out.push('baton-version', version)
  return out
}

interface Forwarded {
  via: string
  forwarded: string
  for: string
  proto: string
  host: string
}

/** From a peer that is not trusted only `Via` is kept: it protects against loops and says nothing of the client. */
function keepForwarded(before: Forwarded, kind: Field, value: string, trusted: boolean): void {
  if (kind === field.via) before.via = before.via === '' ? value : `${before.via}, ${value}`
  if (!trusted) return
  if (kind === field.forwarded) before.forwarded = before.forwarded === '' ? value : `${before.forwarded}, ${value}`
  else if (kind === field.forwardedFor) before.for = before.for === '' ? value : `${before.for}, ${value}`
  else if (kind === field.forwardedProto) before.proto = value
  else if (kind === field.forwardedHost) before.host = value
}

function addForwarded(out: string[], before: Forwarded, head: Head): void {
  const { peer, authority } = head
  const via = head.http === 10 ? `1.0 ${pseudonym}` : head.http === 11 ? `1.1 ${pseudonym}` : `2.0 ${pseudonym}`
  out.push('via', before.via === '' ? via : `${before.via}, ${via}`)
  const address = peer.address === '' ? 'unknown' : peer.address
  out.push('x-forwarded-for', before.for === '' ? address : `${before.for}, ${address}`)
  out.push('x-forwarded-proto', before.proto === '' ? 'http' : before.proto)
  out.push('x-forwarded-host', before.host === '' ? authority : before.host)
  const node = address.includes(':') ? `"[${address}]"` : address
  const element = authority === '' ? `for=${node};proto=http` : `for=${node};host="${authority}";proto=http`
  out.push('forwarded', before.forwarded === '' ? element : `${before.forwarded}, ${element}`)
}

function isSet(set: Raw, name: string): boolean {
  for (let at = 0; at < set.length; at += 2) {
    const own = set[at] ?? ''
    if (own.length === name.length && own.toLowerCase() === name.toLowerCase()) return true
  }
  return false
}

/** What the client gets: the app's fields without the hop-by-hop ones. `servedBy` is the version, or null to keep it to ourselves. */
export function responseFields(raw: Raw, status: number, servedBy: string | null): string[] {
  const out: string[] = []
  let via = ''
  let connection: string | null = null
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    const kind = fieldOf(name)
    if (kind === field.via) via = via === '' ? value : `${via}, ${value}`
    else if (kind === field.connection) connection = connection === null ? value : `${connection},${value}`
    else if (!isOfTheHop(kind, status)) out.push(name, value)
  }
  const listed = connectionTokens(connection)
  if (listed !== null) strip(out, listed)
  out.push('via', via === '' ? `1.1 ${pseudonym}` : `${via}, 1.1 ${pseudonym}`)
  if (servedBy !== null) out.push('x-served-by', servedBy)
  return out
}

/** `Connection` may come after what it lists, and most responses list nothing: hence a walk of its own. */
function strip(fields: string[], listed: ReadonlySet<string>): void {
  let kept = 0
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? ''
    if (mayStrip(listed, name) && fieldOf(name) !== field.upgrade) continue
    fields[kept] = name
    fields[kept + 1] = fields[at + 1] ?? ''
    kept += 2
  }
  fields.length = kept
}

function isOfTheHop(kind: Field, status: number): boolean {
  switch (kind) {
    case field.hop:
    case field.transferEncoding:
    case field.baton:
      return true
    case field.upgrade:
      // 426 has to name the protocol that it asks for (RFC 9110 section 15.5.22)
      return status !== 426
    case field.contentLength:
      // RFC 9110 section 8.6: never in 1xx and 204
      return status < 200 || status === 204
    default:
      return false
  }
}

/** Trailer fields that say where a message ends or whom it is for are never passed (RFC 9110 section 6.5.1). */
export function trailerFields(raw: Raw): string[] {
  const out: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const kind = fieldOf(raw[at] ?? '')
    if (kind === field.plain) out.push(raw[at] ?? '', raw[at + 1] ?? '')
  }
  return out
}

/** The head of a response after an upgrade: what the app said, with `Connection` and `Upgrade` of this hop. */
export function upgradeFields(raw: Raw, upgrade: string, servedBy: string | null): string[] {
  return ['connection', 'Upgrade', 'upgrade', upgrade, ...responseFields(raw, 101, servedBy)]
}
