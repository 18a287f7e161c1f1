/**
 * What is refused because it can be read in two ways, shared by every inbound. A request that passes here has one reading:
 * one host, one length, one target (RFC 9112 sections 3, 5 and 6; RFC 9110 section 7.2).
 */
import { Fault } from '../errors.ts'
import type { Raw } from '../routing/route.ts'
import type { BodyLength } from '../upstream/transport/transport.ts'
import { connectionTokens } from './connection-tokens.ts'
import { field, fieldOf, joinedValue } from './field.ts'

export interface FramingLimits {
  readonly headerBytes: number
  readonly headerCount: number
  readonly uriBytes: number
  /** 0 is no limit. */
  readonly bodyBytes: number
}

/** A head's framing, read in one way. */
export interface Framing {
  /** As sent, or from an absolute-form target; '' only for HTTP/1.0 without one. */
  readonly authority: string
  /** Origin-form, or `*`. */
  readonly target: string
  readonly body: BodyLength
  /** Field names that `Connection` lists besides close, keep-alive and upgrade, in lower case; null if none. */
  readonly listed: ReadonlySet<string> | null
  /** The one protocol that the client wants to upgrade to, in lower case; null if none or if `Connection` does not list it. */
  readonly upgrade: string | null
}

export function readFraming(method: string, target: string, http: 10 | 11, raw: Raw, limits: FramingLimits): Framing | Fault {
  if (target.length > limits.uriBytes) return new Fault('uri-too-long', `target of ${target.length} bytes, at most ${limits.uriBytes}`)
  if (raw.length > limits.headerCount * 2)
    return new Fault('head-too-large', `${raw.length / 2} header fields, at most ${limits.headerCount}`)
  const seen = scan(raw)
  if (seen instanceof Fault) return seen
  if (seen.bytes > limits.headerBytes) return new Fault('head-too-large', `header of ${seen.bytes} bytes, at most ${limits.headerBytes}`)
  if (seen.connection !== null && seen.connection.length > maxConnectionBytes) {
    return new Fault('head-too-large', `Connection of ${seen.connection.length} bytes, at most ${maxConnectionBytes}`)
  }
  const body = bodyOf(seen, http)
  if (body instanceof Fault) return body
  if (limits.bodyBytes > 0 && typeof body === 'number' && body > limits.bodyBytes) {
    return new Fault('body-too-large', `body of ${body} bytes, at most ${limits.bodyBytes}`)
  }
  if (seen.host === null && http === 11) return bad('no Host')
  if (seen.host !== null && !isAuthority(seen.host)) return bad('invalid Host')
  if (target.charCodeAt(0) === slash && !hasFragment(target)) return framed(seen, target, seen.host ?? '', body)
  return otherForm(method, target, seen, body)
}

/**
 * A response whose end can be read in two ways, or null. The parser has refused both a length and a coding, and lengths that differ;
 * a coding other than chunked would make what follows part of the body for one reader and not for the next.
 */
export function responseFault(raw: Raw): Fault | null {
  const coding = joinedValue(raw, field.transferEncoding)
  if (coding === null || coding.toLowerCase() === 'chunked') return null
  return new Fault('upstream-protocol', 'response with a Transfer-Encoding that is not exactly chunked')
}

interface Seen {
  host: string | null
  length: string | null
  coding: string | null
  connection: string | null
  upgrade: string | null
  bytes: number
}

const slash = 0x2f

/** Some twenty times what is seen in the wild. Each name that it lists is looked for in every request before anything else is known of it. */
const maxConnectionBytes = 1_024

function scan(raw: Raw): Seen | Fault {
  const seen: Seen = { host: null, length: null, coding: null, connection: null, upgrade: null, bytes: 0 }
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    seen.bytes += name.length + value.length + 4
    switch (fieldOf(name)) {
      case field.host:
        if (seen.host !== null) return bad('two Host fields')
        seen.host = value
        break
      case field.contentLength:
        if (seen.length !== null) return bad('two Content-Length fields')
        seen.length = value
        break
      case field.transferEncoding:
        seen.coding = seen.coding === null ? value : `${seen.coding},${value}`
        break
      case field.connection:
        seen.connection = seen.connection === null ? value : `${seen.connection},${value}`
        break
      case field.upgrade:
        seen.upgrade = seen.upgrade === null ? value : `${seen.upgrade},${value}`
        break
    }
  }
  return seen
}

/** RFC 9112 section 6.3, without its leniency. */
function bodyOf(seen: Seen, http: 10 | 11): BodyLength | Fault {
  if (seen.coding !== null) {
    if (http === 10) return bad('Transfer-Encoding in HTTP/1.0')
    if (seen.length !== null) return bad('both Content-Length and Transfer-Encoding')
    if (seen.coding.toLowerCase() !== 'chunked') return bad('Transfer-Encoding is not exactly chunked')
    return 'chunked'
  }
  if (seen.length === null) return 'none'
  const length = decimal(seen.length)
  if (length === -1) return bad('Content-Length is not a number')
  return length
}

function framed(seen: Seen, target: string, authority: string, body: BodyLength): Framing {
  const tokens = connectionTokens(seen.connection)
  if (tokens === null) return { authority, target, body, listed: null, upgrade: null }
  const listsUpgrade = tokens.delete('upgrade')
  const upgrade = listsUpgrade && seen.upgrade !== null ? seen.upgrade.trim().toLowerCase() : null
  return { authority, target, body, listed: tokens.size === 0 ? null : tokens, upgrade }
}

/** RFC 9112 section 3.2: absolute-form has to agree with Host; `*` is for OPTIONS. */
function otherForm(method: string, target: string, seen: Seen, body: BodyLength): Framing | Fault {
  if (hasFragment(target)) return bad('# in the target')
  if (target === '*') return method === 'OPTIONS' ? framed(seen, target, seen.host ?? '', body) : bad('target * is for OPTIONS')
  const match = /^https?:\/\/([^/?]*)(.*)$/i.exec(target)
  if (match === null) return bad('target is neither a path nor an absolute http URL')
  const authority = match[1] ?? ''
  const path = match[2] ?? ''
  if (!isAuthority(authority)) return bad('invalid authority in the target')
  if (seen.host !== null && seen.host.toLowerCase() !== authority.toLowerCase()) return bad('target and Host disagree')
  if (path === '' && method === 'OPTIONS') return framed(seen, '*', authority, body)
  return framed(seen, path.startsWith('/') ? path : `/${path}`, authority, body)
}

function hasFragment(target: string): boolean {
  return target.indexOf('#') !== -1
}

/** host [":" port] of RFC 3986 section 3.2, not empty, without userinfo. */
function isAuthority(text: string): boolean {
  const end = text.charCodeAt(0) === 0x5b ? bracketEnd(text) : nameEnd(text)
  if (end <= 0) return false
  if (end === text.length) return true
  return text.charCodeAt(end) === 0x3a && isPort(text, end + 1)
}

function nameEnd(text: string): number {
  let at = 0
  while (at < text.length && isNameByte(text.charCodeAt(at))) at += 1
  return at
}

/** unreserved, pct-encoded and sub-delims, in which no two readers differ. */
function isNameByte(code: number): boolean {
  if ((code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a)) return true
  // - . _ ~ % ! $ & ' ( ) * + ; =
  return (
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f ||
    code === 0x7e ||
    (code >= 0x24 && code <= 0x2b) ||
    code === 0x21 ||
    code === 0x3b ||
    code === 0x3d
  )
}

function bracketEnd(text: string): number {
  const close = text.indexOf(']')
  return close > 2 && /^[0-9a-f:.]+$/i.test(text.slice(1, close)) ? close + 1 : -1
}

function isPort(text: string, from: number): boolean {
  if (text.length - from > 5) return false
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x30 || code > 0x39) return false
  }
  return true
}

/** 1*DIGIT that a number holds exactly, else -1. */
function decimal(text: string): number {
  if (text.length === 0 || text.length > 15) return -1
  let value = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x30 || code > 0x39) return -1
    value = value * 10 + (code - 0x30)
  }
  return value
}

function bad(detail: string): Fault {
  return new Fault('bad-request', detail)
}
