/** Addresses as people write them: where a listener binds, where a version's app is. Nothing is resolved here. */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { normalize } from 'node:path/posix'
import { cidrFault } from '../routing/address.ts'
import { Misread, type Reading } from './misread.ts'
import type { BindAddress, EndpointSettings } from './settings.ts'

/** `sun_path` holds 108 bytes with its closing NUL. */
const socketPathBytes = 107

const bindExpected = 'an address to bind: 0.0.0.0:8080, [::]:8080, :8080 or unix:/run/x.sock'

/** `HOST:PORT` with an IP address, `:PORT` (every IPv4 address), `unix:/path`. Port 0 is any free port. */
export function readBindAddress(value: unknown): Reading<BindAddress> {
  if (typeof value !== 'string') return new Misread(bindExpected, typeof value === 'number' ? `write ":${value}"` : null, 'kind')
  if (value.startsWith('unix:')) return readUnixBind(value.slice(5))
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(value)
  if (!parts) return new Misread(bindExpected, bindHint(value))
  const port = Number(parts[3])
  if (port > 65_535) return new Misread('a port from 0 to 65535')
  return readBindHost(parts, port)
}

function readBindHost(parts: RegExpExecArray, port: number): Reading<BindAddress> {
  const [, six, name = ''] = parts
  if (six !== undefined) return isIPv6(six) ? { is: 'tcp', host: six, port } : new Misread(bindExpected, 'brackets hold an IPv6 address')
  if (name === '' || name === '*') return { is: 'tcp', host: '0.0.0.0', port }
  if (isIPv4(name)) return { is: 'tcp', host: name, port }
  const hint = name === 'localhost' ? `write 127.0.0.1:${port} or [::1]:${port}` : 'names are not resolved for binding: write an IP address'
  return new Misread(bindExpected, hint)
}

function bindHint(value: string): string | null {
  if (/^\d+$/.test(value)) return `write ":${value}"`
  if (isIPv6(value)) return `write [${value}]:PORT`
  return /^[a-z]+:\/\//.test(value) ? 'leave the scheme out' : null
}

function readUnixBind(path: string): Reading<BindAddress> {
  const read = readSocketPath(path)
  return read instanceof Misread ? read : { is: 'unix', path: read }
}

/** An absolute path that fits into a socket address. */
export function readSocketPath(value: unknown): Reading<string> {
  const expected = 'the absolute path of a Unix socket'
  if (typeof value !== 'string') return new Misread(expected, null, 'kind')
  if (value.startsWith('unix:')) return new Misread(expected, `write ${value.slice(5).replace(/^\/\//, '')}`)
  if (!value.startsWith('/') || value.endsWith('/')) return new Misread(expected)
  // One path has one text, so that two of them can be compared.
  if (normalize(value) !== value) return new Misread(`${expected}, without //, /./ and /../`, `write ${normalize(value)}`)
  return socketPathFault(value) ?? value
}

/** A path that the kernel would cut off or refuse. */
export function socketPathFault(path: string): Misread | null {
  if (path.includes('\0')) return new Misread('a path without NUL')
  const bytes = Buffer.byteLength(path)
  return bytes <= socketPathBytes
    ? null
    : new Misread(`a socket path of at most ${socketPathBytes} bytes`, 'use a shorter folder', 'range', `${bytes} bytes`)
}

const urlExpected = 'a URL of the form http://HOST:PORT'

/** `http://HOST[:PORT]` and nothing more; port 80 if none is given. */
export function readUpstreamUrl(value: unknown): Reading<EndpointSettings> {
  if (typeof value !== 'string') return new Misread(urlExpected, null, 'kind')
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase()
  if (scheme === 'https' || scheme === 'h2c' || scheme === 'grpc') {
    return new Misread(`${urlExpected}; ${scheme}:// to an app is not in this build`, null, 'unsupported')
  }
  if (/^unix:/i.test(value)) return new Misread(urlExpected, 'for a Unix socket write socket: /path')
  if (scheme !== 'http') return new Misread(urlExpected, /^[\w.-]+:\d+$/.test(value) ? `write http://${value}` : null)
  return readHttpUrl(value)
}

function readHttpUrl(value: string): Reading<EndpointSettings> {
  if (/[\s\\]/.test(value) || !URL.canParse(value)) return new Misread(urlExpected)
  const url = new URL(value)
  if (url.username !== '' || url.password !== '' || value.includes('@')) {
    return new Misread(urlExpected, 'user and password do not belong here', 'range', 'a URL with a user')
  }
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(value)) return new Misread(urlExpected, 'leave query and fragment out')
  if (url.pathname !== '/') return new Misread(urlExpected, `leave the path out: http://${url.host}`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? 80 : Number(url.port)
  if (port === 0) return new Misread('a port from 1 to 65535')
  return hostFault(host) ?? { is: 'tcp', host, port }
}

const nameForm = /^(?=.{1,253}\.?$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i

/** A name as DNS, compose and Kubernetes know them. */
function isHostName(text: string): boolean {
  return nameForm.test(text) && !/^[\d.]+$/.test(text)
}

export function hostFault(host: string): Misread | null {
  return isIP(host) !== 0 || isHostName(host) ? null : new Misread('an IP address or a host name')
}

/** An entry of `allowUpstreams`. */
export function readAllowed(value: unknown): Reading<string> {
  const expected = 'loopback, unix, a CIDR block or a host name'
  if (typeof value !== 'string') return new Misread(expected, null, 'kind')
  if (value === 'loopback' || value === 'unix' || cidrFault(value) === null || isHostName(value)) return value
  return new Misread(expected, /^[a-z]+:\/\/|:\d+$/.test(value) ? 'without scheme and port' : null)
}
