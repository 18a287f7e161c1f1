/** Keys as an app has them: text nearly always. Bytes that are no text stand behind a lone surrogate, which no text of Redis has. */
import { isUtf8 } from 'node:buffer'

export type Key = string | Uint8Array
export type Name = string

const mark = '\ud800'

export function nameOf(key: Key): Name {
  // on its way to Redis a lone surrogate becomes U+FFFD
  if (typeof key === 'string') return key.toWellFormed()
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  return isUtf8(bytes) ? bytes.toString() : mark + bytes.toString('latin1')
}

export function wireOf(name: Name): string | { readonly base64: string } {
  return name.startsWith(mark) ? { base64: Buffer.from(name.slice(1), 'latin1').toString('base64') } : name
}
