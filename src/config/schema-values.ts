/** The forms of single values, and what holds for mappings of any kind: what the tables of keys are written with. */
import { z } from 'zod'
import { readBindAddress } from './address-text.ts'
import { Misread, type Reading } from './misread.ts'
import { formatDuration, formatSize, type Range, readDuration, readOrOff, readPercent, readSize } from './quantity.ts'
import { isReservedHeader } from './reserved-header.ts'
import {
  fieldValuePattern,
  nameExpected,
  namePattern,
  readCidr,
  readRegex,
  readText,
  readWhole,
  type TextForm,
  tokenPattern,
} from './text.ts'

export type Issue = z.core.$ZodIssue

export const second = 1_000
export const hour = 3_600_000
export const KiB = 1_024
export const MiB = 1_048_576

/** A value that a reader of ours understands; `json` is what an editor is told of it. */
export function leaf<T>(read: (value: unknown) => Reading<T>, json: Record<string, unknown>) {
  return z
    .unknown()
    .transform((value, context): T => {
      const result = read(value)
      if (!(result instanceof Misread)) return result
      context.issues.push({ code: 'custom', input: value, params: { misread: result } })
      return z.NEVER
    })
    .meta(json)
}

const inRange = (json: Record<string, unknown>, range: Range, format: (value: number) => string) => ({
  ...json,
  'x-range': `${format(range.min)} to ${format(range.max)}`,
})
const durationJson = { type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h)$' }
const durationOrOffJson = { type: 'string', pattern: '^(off|\\d+(\\.\\d+)?(ms|s|m|h))$' }
const sizeJson = { type: ['string', 'integer'], pattern: '^\\d+(\\.\\d+)?(B|KiB|MiB|GiB)$' }
const sizeOrOffJson = { type: ['string', 'integer'], pattern: '^(off|\\d+(\\.\\d+)?(B|KiB|MiB|GiB))$' }

export const duration = (min: number, max: number) =>
  leaf((value) => readDuration(value, { min, max }), inRange(durationJson, { min, max }, formatDuration))
export const durationOrOff = (min: number, max: number) =>
  leaf((value) => readOrOff(value, readDuration(value, { min, max })), inRange(durationOrOffJson, { min, max }, formatDuration))
export const size = (min: number, max: number) =>
  leaf((value) => readSize(value, { min, max }), inRange(sizeJson, { min, max }, formatSize))
export const sizeOrOff = (min: number, max: number) =>
  leaf((value) => readOrOff(value, readSize(value, { min, max })), inRange(sizeOrOffJson, { min, max }, formatSize))
export const share = leaf(readPercent, { type: 'string', pattern: '^\\d+(\\.\\d+)?%$' })
export const shareOrOff = leaf((value) => readOrOff(value, readPercent(value)), { type: 'string', pattern: '^(off|\\d+(\\.\\d+)?%)$' })
export const whole = (min: number, max: number) =>
  leaf((value) => readWhole(value, min, max), { type: 'integer', minimum: min, maximum: max })
export const text = (form: TextForm) =>
  leaf((value) => readText(value, form), { type: 'string', ...(form.pattern && { pattern: form.pattern.source }) })

/** Refines what zod let through with a rule over several keys of one mapping. */
export function rule<T extends z.ZodType>(schema: T, check: (value: z.output<T>) => Misread | null, json: Record<string, unknown> = {}) {
  return schema
    .superRefine((value, context) => {
      const misread = check(value)
      if (misread) context.addIssue({ code: 'custom', params: { misread } })
    })
    .meta(json)
}

export function exactlyOne<T extends z.ZodType>(schema: T, keys: readonly string[]) {
  const expected = `exactly one of ${keys.join(', ')}`
  const check = (value: z.output<T>) => {
    const given = keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    if (given.length === 1) return null
    return new Misread(expected, null, 'range', given.length === 0 ? 'none of them' : given.join(' and '))
  }
  return rule(schema, check, { oneOf: keys.map((key) => ({ required: [key] })) })
}

/** A mapping by the user's own names, bounded since names become labels. */
export function named<T extends z.ZodType>(value: T, max: number) {
  const check = (given: Record<string, unknown>) =>
    Object.keys(given).length <= max ? null : new Misread(`at most ${max} entries`, null, 'range', `${Object.keys(given).length} entries`)
  return rule(z.record(z.string().regex(namePattern, { error: nameExpected }), value), check)
}

export const oneOrMany = <T extends z.ZodType>(item: T, max: number) => z.union([item, z.array(item).min(1).max(max)])

export const name = text({ expected: nameExpected, pattern: namePattern })
export const target = text({ expected: 'the name of a version, or stable or candidate', pattern: namePattern })
export const folder = text({ expected: 'the path of a folder', pattern: /./ })
export const file = text({ expected: 'the path of a file', pattern: /./ })
/** Of a connection that baton opens to `server`. */
export const tlsFiles = (server: string) => ({
  ca: file.optional().describe("Certificates of the authorities that are trusted, PEM; the system's own without it."),
  cert: file.optional().describe(`baton's own certificate, PEM, where ${server} asks for one.`),
  key: file.optional().describe('Its key, PEM, mode 0600.'),
})
export const cidr = leaf(readCidr, { type: 'string' })
export const path = text({
  expected: 'a path that begins with /',
  pattern: /^\/[^\s?#]*$/,
  hint: (given) => (/[?#]/.test(given) ? 'without query and fragment' : null),
})
export const regex = leaf(readRegex, { type: 'string' })
const methodHint = (given: string) => (tokenPattern.test(given) ? `methods are case-sensitive: write ${given.toUpperCase()}` : null)
export const method = text({ expected: 'a method such as GET', pattern: /^[A-Z][A-Z0-9!#$%&'*+.^_`|~-]{0,31}$/, hint: methodHint })
export const headerName = z.string().regex(tokenPattern, { error: 'a header name (RFC 9110 token)' })
const ownHeaderError = "a header that is the app's to read: no hop-by-hop, framing, forwarding, Host or baton- header"
export const setName = headerName.refine((given) => !isReservedHeader(given), { error: ownHeaderError })
export const setValue = text({
  expected: 'a header value: no line breaks or control characters, no outer white space',
  pattern: fieldValuePattern,
  max: 8_192,
})
export const bindAddress = leaf(readBindAddress, { type: 'string' })
