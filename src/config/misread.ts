/** The answer of a reader that could not read a value: what it wanted instead. Readers are pure: `(value: unknown) => T | Misread`. */

/** `kind`: the value's type or form is another one; `range`: the right form, a wrong value; `unsupported`: designed, but not in this build. */
export type MisreadKind = 'kind' | 'range' | 'unsupported'

export class Misread {
  readonly expected: string
  readonly hint: string | null
  readonly kind: MisreadKind
  /** In place of the value itself, where that would say nothing. */
  readonly found: string | null

  constructor(expected: string, hint: string | null = null, kind: MisreadKind = 'range', found: string | null = null) {
    this.expected = expected
    this.hint = hint
    this.kind = kind
    this.found = found
  }
}

export type Reading<T> = T | Misread

/** A value in words, for `found`: short, one line, its kind where the text alone would not tell. */
export function inWords(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number' || typeof value === 'bigint') return `${value} (a number)`
  if (typeof value === 'boolean') return `${value} (a boolean)`
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping'
}

/** The kind of a value without the value: for what may be a secret. */
export function kindInWords(value: unknown): string {
  if (typeof value === 'string') return 'a text'
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number'
  return typeof value === 'boolean' ? 'a boolean' : inWords(value)
}

/** JSON quotes make control characters visible and keep the message on one line. A password in a URL is never repeated. */
export function quoted(text: string): string {
  text = text.replace(/\/\/[^/\s]*@/g, '//...@')
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)
}
