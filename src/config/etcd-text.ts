/** What people write of an etcd. */
import { hostFault } from './address-text.ts'
import { Misread, type Reading } from './misread.ts'

/** `http://HOST:PORT` or `https://HOST:PORT`, as it was written but for a `/` at the end. */
export function readEtcdEndpoint(value: unknown): Reading<string> {
  const expected = 'a URL of the form http://HOST:PORT or https://HOST:PORT'
  if (typeof value !== 'string') return new Misread(expected, null, 'kind')
  if (!/^https?:\/\/[^\s\\/?#@]+:\d+\/?$/i.test(value) || !URL.canParse(value)) {
    const hint = value.includes('@')
      ? 'user and password have keys of their own'
      : /^[^/]+:\d+$/.test(value)
        ? `write http://${value}`
        : null
    return new Misread(expected, hint)
  }
  const url = new URL(value)
  const fault = hostFault(url.hostname.replace(/^\[|\]$/g, ''))
  if (fault !== null) return fault
  if (url.port === '0') return new Misread('a port from 1 to 65535')
  return url.origin
}

/** Begins with `/`, does not end with one. */
export function readEtcdPrefix(value: unknown): Reading<string> {
  const expected = 'a prefix such as /baton/shop'
  if (typeof value !== 'string') return new Misread(expected, null, 'kind')
  if (value.length > 512) return new Misread('at most 512 characters', null, 'range', `${value.length} characters`)
  if (/^\/*$/.test(value)) return new Misread(expected)
  if (!value.startsWith('/')) return new Misread(expected, `write /${value.replace(/\/$/, '')}`)
  if (value.endsWith('/')) return new Misread(expected, 'leave the / at the end out')
  return value.includes('\0') ? new Misread('a prefix without NUL') : value
}
