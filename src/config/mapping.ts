/** What YAML calls a mapping or a list: a value with parts. */
export function isMapping(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null
}
