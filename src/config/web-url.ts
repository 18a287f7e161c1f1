/** Addresses with a path that baton calls by itself. They may hold a token, so no answer repeats them. */
import { hostFault } from './address-text.ts'
import { Misread, type Reading } from './misread.ts'
import type { WebUrl } from './settings.ts'

/** To an app on this machine or near it. */
export function readRetirementUrl(value: unknown): Reading<WebUrl> {
  const expected = 'a URL of the form http://HOST:PORT/PATH'
  const url = readWebUrl(value, expected)
  return url instanceof Misread || url.scheme === 'http'
    ? url
    : new Misread(`${expected}; https:// to an app is not in this build`, null, 'unsupported')
}

export function readWebhookUrl(value: unknown): Reading<WebUrl> {
  return readWebUrl(value, 'a URL of the form https://HOST/PATH or http://HOST/PATH')
}

function readWebUrl(value: unknown, expected: string): Reading<WebUrl> {
  if (typeof value !== 'string') return new Misread(expected, null, 'kind')
  if (value.length > 2_048) return new Misread('at most 2048 characters', null, 'range', `${value.length} characters`)
  if (!/^https?:\/\/[^\s\\]+$/i.test(value) || !URL.canParse(value)) return new Misread(expected)
  const url = new URL(value)
  if (url.username !== '' || url.password !== '' || value.includes('@'))
    return new Misread(expected, 'user and password do not belong here')
  if (value.includes('#')) return new Misread(expected, 'leave the fragment out')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const fault = hostFault(host)
  if (fault !== null) return fault
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port)
  if (port === 0) return new Misread('a port from 1 to 65535')
  return { scheme, host, port, path: `${url.pathname}${url.search}` }
}
