/** Texts with a form of their own: names, tokens, header values, paths. */
import { cidrFault } from '../routing/address.ts'
import { regexFault } from '../routing/regex.ts'
import { type EventName, eventNames } from '../telemetry/event-names.ts'
import { Misread, type Reading } from './misread.ts'
import { nearest } from './nearest.ts'

/** Version, route and process names are metric labels and file names. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
export const nameExpected = 'a name of letters, digits, ".", "_" and "-", at most 63, beginning with a letter or digit'

/** RFC 9110 5.6.2 */
export const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/

/** A header field's value as it may stand on the wire: RFC 9110 5.5, without obs-fold and without outer white space. */
export const fieldValuePattern = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/

export interface TextForm {
  readonly expected: string
  readonly pattern?: RegExp
  readonly hint?: (text: string) => string | null
  /** In characters; 1024 if none is given. */
  readonly max?: number
}

/** A text of `form`; a number or boolean where a text is wanted is a forgotten quote. */
export function readText(value: unknown, form: TextForm): Reading<string> {
  if (typeof value === 'number' || typeof value === 'boolean') return new Misread(form.expected, `quote it: "${value}"`, 'kind')
  if (typeof value !== 'string') return new Misread(form.expected, null, 'kind')
  if (value.includes('\0')) return new Misread(form.expected, 'NUL is not allowed')
  const max = form.max ?? 1024
  if (value.length > max) return new Misread(`at most ${max} characters`, null, 'range', `${value.length} characters`)
  if (form.pattern && !form.pattern.test(value)) return new Misread(form.expected, form.hint?.(value) ?? null)
  return value
}

/** A whole number within a range. */
export function readWhole(value: unknown, min: number, max: number): Reading<number> {
  const expected = `a whole number from ${min} to ${max}`
  if (typeof value !== 'number')
    return new Misread(expected, typeof value === 'string' && /^\d+$/.test(value) ? 'leave the quotes out' : null, 'kind')
  return Number.isInteger(value) && value >= min && value <= max ? value : new Misread(expected)
}

/** A block of addresses, or one address. */
export function readCidr(value: unknown): Reading<string> {
  const expected = 'a CIDR block such as 10.0.0.0/8 or fd00::/8'
  const text = readText(value, { expected, max: 64 })
  if (text instanceof Misread) return text
  const fault = cidrFault(text)
  return fault === null ? text : new Misread(expected, fault)
}

/** A pattern that runs in linear time. */
export function readRegex(value: unknown): Reading<string> {
  const expected = 'a regular expression in RE2 syntax'
  const text = readText(value, { expected, pattern: /./ })
  if (text instanceof Misread) return text
  const fault = regexFault(text)
  return fault === null ? text : new Misread(expected, fault)
}

export function readPresent(value: unknown): Reading<true> {
  return value === true ? true : new Misread('true', 'for the contrary write present: true, invert: true')
}

/** How an app outside of baton is stopped: a name, and null for `none`. What it does is said in the bootstrap half alone. */
export function readRetire(value: unknown): Reading<string | null> {
  const expected = 'none, or the name of one of bootstrap.retirements'
  if (typeof value === 'object' && value !== null)
    return new Misread(expected, 'say in bootstrap.retirements how, and here its name', 'kind')
  const text = readText(value, { expected, pattern: namePattern })
  return text === 'none' ? null : text
}

export function readEventName(value: unknown): Reading<EventName> {
  const expected = 'the name of an event, such as upgrade.phase'
  if (typeof value !== 'string') return new Misread(expected, null, 'kind')
  const known = eventNames.find((name) => name === value)
  if (known !== undefined) return known
  const near = nearest(value, eventNames)
  return new Misread(expected, near === null ? 'docs/reference/configuration.md lists them' : `did you mean ${near}?`)
}

export function readStack(value: unknown): Reading<string> {
  const expected = 'node'
  return value === 'native'
    ? new Misread(`${expected}; the native stack is not in this build`, null, 'unsupported')
    : readText(value, { expected, pattern: /^node$/ })
}
