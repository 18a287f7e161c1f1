/** Looking up header fields by name in the raw list, without building anything. */
import type { Raw } from './route.ts'
import type { ValueTest } from './text.ts'

/** Case-insensitive (RFC 9110 section 5.1). `lower` is in lower case already. */
export function sameName(name: string, lower: string): boolean {
  if (name.length !== lower.length) return false
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    const folded = code >= 65 && code <= 90 ? code + 32 : code
    if (folded !== lower.charCodeAt(at)) return false
  }
  return true
}

/** Whether any field of that name has a value that passes; in order, up to the first. A list in one field is one value. */
export function anyHeader(raw: Raw, lower: string, test: ValueTest): boolean {
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]
    if (name === undefined || !sameName(name, lower)) continue
    const value = raw[at + 1] ?? ''
    if (test.holds(value, 0, value.length)) return true
  }
  return false
}
