/** What people write of a Redis: its URL, the addresses of its sentinels, where a gateway binds and who may connect there. */
import { isIP } from 'node:net'
import { hostFault, readBindAddress, readSocketPath } from './address-text.ts'
import { isLoopback } from './ip-class.ts'
import { Misread, type Reading } from './misread.ts'
import type { BindAddress, HostPort, RedisPlace } from './settings.ts'
import { showAddress } from './show-address.ts'

export interface RedisUrl {
  readonly place: Exclude<RedisPlace, { readonly is: 'sentinels' }>
  readonly database: number
  readonly isTls: boolean
}

export const maxDatabase = 65_535

const urlExpected = 'a URL of the form redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///path?db=DB'

/** `redis://HOST[:PORT][/DB]`, `rediss://` with TLS, `unix:///path[?db=DB]`. The URL itself is never repeated: many have a password in theirs. */
export function readRedisUrl(value: unknown): Reading<RedisUrl> {
  if (typeof value !== 'string') return new Misread(urlExpected, null, 'kind')
  if (value.startsWith('unix:')) return readUnixUrl(value.slice('unix:'.length).replace(/^\/\/(?=\/)/, ''))
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase()
  const hasUser = value.includes('@') || /[?&](user|username|password)=/i.test(value)
  if (hasUser) return new Misread(urlExpected, 'put them into user and passwordFile', 'range', 'a URL with a user or a password')
  if (scheme !== 'redis' && scheme !== 'rediss')
    return new Misread(urlExpected, 'begin with redis://', 'range', scheme === undefined ? 'no scheme' : `the scheme ${scheme}`)
  const [, address = '', database] = /^rediss?:\/\/([^/?#]*)(?:\/([^?#]*))?$/i.exec(value) ?? []
  if (address === '') return new Misread(urlExpected, 'only a database may follow the address')
  const at = readHostPort(address, 6_379)
  return at instanceof Misread ? at : withDatabase({ is: 'tcp', ...at }, database ?? '', scheme === 'rediss')
}

function readUnixUrl(rest: string): Reading<RedisUrl> {
  const [, given = '', database = ''] = /^([^?]*)(?:\?db=(.*))?$/.exec(rest) ?? []
  if (given === '') return new Misread(urlExpected, 'only db may follow the path: unix:///path?db=0')
  const path = readSocketPath(given)
  return path instanceof Misread ? path : withDatabase({ is: 'unix', path }, database, false)
}

function withDatabase(place: RedisUrl['place'], text: string, isTls: boolean): Reading<RedisUrl> {
  const isNumber = /^\d{0,5}$/.test(text) && Number(text) <= maxDatabase
  if (!isNumber) return new Misread(`a database from 0 to ${maxDatabase}`, null, 'range', 'another database')
  return { place, database: Number(text), isTls }
}

const sentinelExpected = 'the address of a sentinel: HOST:PORT'

/** `HOST[:PORT]`, a name or an address. */
export function readSentinelAddress(value: unknown): Reading<HostPort> {
  if (typeof value !== 'string') return new Misread(sentinelExpected, null, 'kind')
  if (value.includes('@'))
    return new Misread(sentinelExpected, 'user and password have keys of their own', 'range', 'an address with a user')
  if (/^[a-z]+:\/\//i.test(value)) return new Misread(sentinelExpected, 'leave the scheme out')
  return readHostPort(value, 26_379)
}

function readHostPort(text: string, usualPort: number): Reading<HostPort> {
  const [, six, name = '', digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = six ?? name
  const fault = six !== undefined && isIP(six) !== 6 ? new Misread('an IPv6 address in brackets') : hostFault(host)
  if (fault !== null) return fault
  const port = digits === undefined ? usualPort : Number(digits)
  return port >= 1 && port <= 65_535 ? { host, port } : new Misread('a port from 1 to 65535', null, 'range', `port ${port}`)
}

/** Who connects is answered with what baton itself may read: only this machine may. */
export function readGatewayAddress(value: unknown): Reading<BindAddress> {
  const address = readBindAddress(value)
  if (address instanceof Misread || address.is === 'unix' || isLoopback(address.host)) return address
  const hint = `write 127.0.0.1:${address.port}, or unix:/path; a gateway answers with baton's own rights`
  return new Misread('a loopback address or a Unix socket', hint, 'range', showAddress(address))
}

const modes = ['0600', '0660', '0666'] as const
export type SocketMode = (typeof modes)[number]

/** Of a Unix socket, in octal digits. YAML reads them as a number that means something else, so they are a text. */
export function readSocketMode(value: unknown): Reading<SocketMode> {
  const expected = '"0600", "0660" or "0666"'
  const known = modes.find((mode) => mode === value)
  if (known !== undefined) return known
  const digits = String(value).padStart(4, '0')
  const meant = modes.find((mode) => mode === digits || (typeof value === 'number' && Number.parseInt(mode, 8) === value))
  return new Misread(expected, meant === undefined ? null : `write "${meant}"`, typeof value === 'string' ? 'range' : 'kind')
}
