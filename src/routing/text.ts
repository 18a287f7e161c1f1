/** The test of one value: exact, prefix, suffix, contains, regex, one-of, present. */
import { compileRegex } from './regex.ts'
import type { TextMatch } from './route.ts'

/** Takes a value as a range of a longer text, so that nothing has to be cut out of a header or a target to be looked at. */
export interface ValueTest {
  holds(text: string, from: number, to: number): boolean
}

export interface TextTest extends ValueTest {
  /** The caller turns the outcome round, once it knows it for all values of a repeated field: inverted is "not any". */
  readonly invert: boolean
  /** In words: `exact "true"` */
  readonly expected: string
}

/** Throws if a regex has a fault; see `regexFault`. */
export function compileText(match: TextMatch): TextTest {
  const invert = match.invert === true
  return { holds: holdsOf(match), invert, expected: invert ? inverted(match) : wordsOf(match) }
}

function holdsOf(match: TextMatch): ValueTest['holds'] {
  if ('exact' in match) return exactly(match.exact)
  if ('prefix' in match) return startingWith(match.prefix)
  if ('suffix' in match) return endingWith(match.suffix)
  if ('contains' in match) return containing(match.contains)
  if ('regex' in match) return matching(match.regex)
  if ('oneOf' in match) return oneOf(match.oneOf)
  return () => true
}

const exactly =
  (wanted: string): ValueTest['holds'] =>
  (text, from, to) =>
    to - from === wanted.length && text.startsWith(wanted, from)

const startingWith =
  (wanted: string): ValueTest['holds'] =>
  (text, from, to) =>
    to - from >= wanted.length && text.startsWith(wanted, from)

const endingWith =
  (wanted: string): ValueTest['holds'] =>
  (text, from, to) =>
    to - from >= wanted.length && text.startsWith(wanted, to - wanted.length)

// Cut out first: a search that ran on past `to` would be quadratic over the many values that a client can put in one field.
const containing =
  (wanted: string): ValueTest['holds'] =>
  (text, from, to) =>
    text.slice(from, to).includes(wanted)

function matching(pattern: string): ValueTest['holds'] {
  const test = compileRegex(pattern)
  return (text, from, to) => test(text.slice(from, to))
}

function oneOf(wanted: readonly string[]): ValueTest['holds'] {
  const set = new Set(wanted)
  return (text, from, to) => set.has(text.slice(from, to))
}

function inverted(match: TextMatch): string {
  return 'present' in match ? 'absent' : `not ${wordsOf(match)}`
}

function wordsOf(match: TextMatch): string {
  if ('exact' in match) return `exact ${JSON.stringify(match.exact)}`
  if ('prefix' in match) return `prefix ${JSON.stringify(match.prefix)}`
  if ('suffix' in match) return `suffix ${JSON.stringify(match.suffix)}`
  if ('contains' in match) return `contains ${JSON.stringify(match.contains)}`
  if ('regex' in match) return `regex ${JSON.stringify(match.regex)}`
  if ('oneOf' in match) return `one of ${listed(match.oneOf)}`
  return 'present'
}

/** `"a", "b"` */
export function listed(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ')
}
