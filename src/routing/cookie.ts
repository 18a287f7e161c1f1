/**
 * Looking up cookies by name (RFC 6265 sections 4.2.1 and 5.4): pairs between semicolons, in one or several Cookie fields.
 * Names are case-sensitive. Values are opaque: not decoded, and quotes belong to them, since that is what the browser stored.
 */
import { sameName } from './header.ts'
import type { Raw } from './route.ts'
import type { ValueTest } from './text.ts'

const semicolon = ';'
const equals = 61

/** Whether any cookie of that name has a value that passes; in order, up to the first. */
export function anyCookie(raw: Raw, name: string, test: ValueTest): boolean {
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const field = raw[at]
    if (field === undefined || !sameName(field, 'cookie')) continue
    if (anyPair(raw[at + 1] ?? '', name, test)) return true
  }
  return false
}

function anyPair(text: string, name: string, test: ValueTest): boolean {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf(semicolon, start)
    const end = found === -1 ? text.length : found
    const value = valueStart(text, start, end, name)
    if (value !== -1 && test.holds(text, value, trimmedEnd(text, value, end))) return true
    start = end + 1
  }
  return false
}

/** Where the value of the pair in [start, end) begins; -1 if the pair is another cookie's, or has no `=`. */
function valueStart(text: string, start: number, end: number, name: string): number {
  const nameAt = skipBlanks(text, start, end)
  if (!text.startsWith(name, nameAt)) return -1
  const at = skipBlanks(text, nameAt + name.length, end)
  return at < end && text.charCodeAt(at) === equals ? skipBlanks(text, at + 1, end) : -1
}

function skipBlanks(text: string, from: number, to: number): number {
  while (from < to && isBlank(text.charCodeAt(from))) from++
  return from
}

function trimmedEnd(text: string, from: number, to: number): number {
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return to
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}
