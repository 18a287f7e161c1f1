/** One condition of a match: tests a request, and can say in words what it expects and what it found. */
import { type AddressSet, addressSet } from './address.ts'
import { anyCookie } from './cookie.ts'
import { anyHeader } from './header.ts'
import { compilePath, pathOf } from './path.ts'
import { anyParameter } from './query.ts'
import type { PathMatch, RouteMatch, RouteRequest, TextMatch } from './route.ts'
import { compileText, listed, type ValueTest } from './text.ts'

export interface Condition {
  /** `header x-canary` */
  readonly what: string
  /** `exact "true"` */
  readonly expected: string
  holds(request: RouteRequest): boolean
  /** `"false"`, or `absent`. For people; not on a request's way. */
  found(request: RouteRequest): string
}

/** Hands every value of one field to the test, up to the first that passes. */
type Lookup = (request: RouteRequest, test: ValueTest) => boolean

/** What is cheap to test comes first. Throws if a regex or a CIDR block has a fault. */
export function compileMatch(match: RouteMatch): readonly Condition[] {
  return [
    ...(match.methods === undefined ? [] : [methodCondition(match.methods)]),
    ...(match.path === undefined ? [] : [pathCondition(match.path)]),
    ...(match.host === undefined ? [] : [hostCondition(match.host)]),
    ...Object.entries(match.headers ?? {}).map(([name, text]) => headerCondition(name, text)),
    ...Object.entries(match.cookies ?? {}).map(([name, text]) => cookieCondition(name, text)),
    ...Object.entries(match.query ?? {}).map(([name, text]) => queryCondition(name, text)),
    ...(match.client === undefined ? [] : [clientCondition(match.client)]),
  ]
}

export function clientCondition(blocks: readonly string[]): Condition {
  const set: AddressSet = addressSet(blocks)
  return {
    what: 'client',
    expected: `in ${blocks.join(', ')}`,
    holds: (request) => set.has(request.client),
    found: (request) => (request.client === '' ? 'absent' : request.client),
  }
}

/** Case-sensitive (RFC 9110 section 9.1). */
function methodCondition(methods: readonly string[]): Condition {
  return {
    what: 'method',
    expected: methods.length === 1 ? methods.join() : `one of ${methods.join(', ')}`,
    holds: (request) => methods.includes(request.method),
    found: (request) => request.method,
  }
}

function pathCondition(match: PathMatch): Condition {
  const test = compilePath(match)
  return {
    what: 'path',
    expected: test.expected,
    holds: (request) => test.holds(request.target),
    found: (request) => JSON.stringify(pathOf(request.target)),
  }
}

/** A request's host is in lower case, so the literals are too; a regex stays as it is written. */
function hostCondition(match: TextMatch): Condition {
  const lookup: Lookup = ({ host }, test) => host !== '' && test.holds(host, 0, host.length)
  return textCondition('host', lowerCase(match), lookup)
}

function headerCondition(name: string, match: TextMatch): Condition {
  const lower = name.toLowerCase()
  return textCondition(`header ${lower}`, match, (request, test) => anyHeader(request.raw, lower, test))
}

function cookieCondition(name: string, match: TextMatch): Condition {
  return textCondition(`cookie ${name}`, match, (request, test) => anyCookie(request.raw, name, test))
}

function queryCondition(name: string, match: TextMatch): Condition {
  return textCondition(`query ${name}`, match, (request, test) => anyParameter(request.target, name, test))
}

/** Any value may match; inverted, none may. */
function textCondition(what: string, match: TextMatch, lookup: Lookup): Condition {
  const test = compileText(match)
  return {
    what,
    expected: test.expected,
    holds: (request) => lookup(request, test) !== test.invert,
    found: (request) => foundBy(lookup, request),
  }
}

function foundBy(lookup: Lookup, request: RouteRequest): string {
  const values: string[] = []
  lookup(request, {
    holds(text, from, to) {
      values.push(text.slice(from, to))
      return false
    },
  })
  return values.length === 0 ? 'absent' : listed(values)
}

function lowerCase(match: TextMatch): TextMatch {
  const invert = match.invert === true
  if ('exact' in match) return { invert, exact: match.exact.toLowerCase() }
  if ('prefix' in match) return { invert, prefix: match.prefix.toLowerCase() }
  if ('suffix' in match) return { invert, suffix: match.suffix.toLowerCase() }
  if ('contains' in match) return { invert, contains: match.contains.toLowerCase() }
  if ('oneOf' in match) return { invert, oneOf: match.oneOf.map((value) => value.toLowerCase()) }
  return match
}
