/**
 * Regular expressions in time linear in the text: RE2 syntax (no look-around, no back-references), by re2js. The only file that knows it.
 * A pattern must match the whole value, as in Envoy: `v2` does not match `v23`; write `v2.*` for that.
 */
import { createRequire } from 'node:module'

type Engine = typeof import('re2js')

/** Each character of a value costs up to one step an instruction: with more than this, a full head takes over 100 ms. */
const maxProgramSize = 2000

/** re2js is 260 kB: it is loaded when the first pattern is compiled, and not before. */
function engine(): Engine {
  return createRequire(import.meta.url)('re2js')
}

/** Tests a whole value. Throws what re2js throws if the pattern has a fault: validate it with `regexFault` first. */
export function compileRegex(pattern: string): (value: string) => boolean {
  const regex = engine().RE2JS.compile(pattern)
  return (value) => regex.testExact(value)
}

/** What is wrong with a pattern, in words; null if nothing is. */
export function regexFault(pattern: string): string | null {
  const { RE2JS, RE2JSException } = engine()
  try {
    const size = RE2JS.compile(pattern).programSize()
    return size > maxProgramSize ? `too large: ${size} instructions, at most ${maxProgramSize}` : null
  } catch (error) {
    if (error instanceof RE2JSException) return `${error.message.replace('error parsing regexp: ', '')} (in RE2 syntax)`
    throw error
  }
}
