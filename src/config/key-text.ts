/** Names of Redis keys, and beginnings of them, as people write them: text, and `\xHH` for a byte that is none, as redis-cli shows it. */
import { Misread, quoted, type Reading } from './misread.ts'
import type { KeyBytes } from './settings.ts'

const maxBytes = 1_024

/** Not empty. Any other backslash stands for itself; one before an `x` and two digits is `\x5c`. */
export function readKeyText(value: unknown, expected: string, emptyHint: string | null = null): Reading<KeyBytes> {
  if (typeof value === 'number' || typeof value === 'boolean') return new Misread(expected, `quote it: "${value}"`, 'kind')
  if (typeof value !== 'string') return new Misread(expected, null, 'kind')
  if (value === '') return new Misread(`${expected}, not empty`, emptyHint)
  const bytes = value
    .split(/\\x([0-9a-f]{2})/i)
    .map((part, index) => (index % 2 === 0 ? Buffer.from(part) : Buffer.from(part, 'hex')).toString('latin1'))
    .join('')
  return bytes.length <= maxBytes ? bytes : new Misread(`at most ${maxBytes} bytes`, null, 'range', `${bytes.length} bytes`)
}

/** As it may be written. */
export function showKeyText(bytes: KeyBytes): string {
  const text = textOf(bytes)
  return text === null ? quoted(escaped(bytes)).replaceAll('\\\\x', '\\x') : quoted(text)
}

/** The same without quotes, for a line of its own: no control character reaches a terminal. */
export function plainKeyText(bytes: KeyBytes): string {
  const text = textOf(bytes)
  return text === null || /\p{Cc}/u.test(text) ? escaped(bytes) : text
}

/** Null where the bytes are none. */
function textOf(bytes: KeyBytes): string | null {
  const buffer = Buffer.from(bytes, 'latin1')
  const text = buffer.toString()
  return Buffer.from(text).equals(buffer) ? text : null
}

function escaped(bytes: KeyBytes): string {
  return bytes.replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
