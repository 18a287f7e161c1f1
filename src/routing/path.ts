/**
 * The test of a path: the target up to `?`, exactly as sent. Nothing is decoded and no dot segment removed, because the app gets the
 * target as sent too: what it sees is what was matched, and no reading of ours can differ from its own.
 */
import { compileRegex } from './regex.ts'
import type { PathMatch } from './route.ts'

export interface PathTest {
  holds(target: string): boolean
  readonly expected: string
}

const slash = 47

/** Throws if a regex has a fault; see `regexFault`. */
export function compilePath(match: PathMatch): PathTest {
  if ('exact' in match) return exactPath(match.exact)
  if ('prefix' in match) return prefixPath(match.prefix)
  const test = compileRegex(match.regex)
  return { holds: (target) => test(pathOf(target)), expected: `regex ${JSON.stringify(match.regex)}` }
}

export function pathOf(target: string): string {
  return target.slice(0, pathEnd(target))
}

function pathEnd(target: string): number {
  const question = target.indexOf('?')
  return question === -1 ? target.length : question
}

function exactPath(wanted: string): PathTest {
  return {
    holds: (target) => target.startsWith(wanted) && pathEnd(target) === wanted.length,
    expected: `exact ${JSON.stringify(wanted)}`,
  }
}

/** /api is /api and /api/x, not /apix; /api/ is /api/ and /api/x, not /api. */
function prefixPath(wanted: string): PathTest {
  const open = wanted.endsWith('/')
  return {
    holds(target) {
      if (!target.startsWith(wanted)) return false
      const end = pathEnd(target)
      return end === wanted.length || (end > wanted.length && (open || target.charCodeAt(wanted.length) === slash))
    },
    expected: `prefix ${JSON.stringify(wanted)}`,
  }
}
