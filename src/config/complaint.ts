/** A fault before it has a place in a text: where in the value, what is there, what should be. `place` gives it line and column. */
import type { ConfigFault } from '../errors.ts'

export type Path = readonly (string | number)[]

export interface Complaint {
  readonly path: Path
  /** Of a mapping's entry: the key is wrong, or its value. */
  readonly at: 'key' | 'value'
  readonly found: string
  readonly expected: string
  readonly hint: string | null
  readonly reason: ConfigFault['reason']
}

/** Of a rule over several keys. */
export function complain(
  path: Path,
  found: string,
  expected: string,
  hint: string | null = null,
  at: Complaint['at'] = 'value',
): Complaint {
  return { path, at, found, expected, hint, reason: 'cross-check' }
}

export interface Location {
  /** 1-based */
  readonly line: number
  readonly column: number
}

export type Locate = (path: Path, at: 'key' | 'value') => Location | null

/** Nobody reads more in one go. */
const faultsAtOnce = 200

/** In the order of the text, each said once; of very many the first, and how many follow. */
export function place(complaints: readonly Complaint[], source: string, locate: Locate): ConfigFault[] {
  const once = new Map(complaints.map((complaint) => [JSON.stringify([complaint.path, complaint.expected, complaint.found]), complaint]))
  const shown = [...once.values()].slice(0, faultsAtOnce)
  const faults = shown.map(({ path, at, ...words }): ConfigFault => {
    const location = locate(path, at)
    return { source, line: location?.line ?? null, column: location?.column ?? null, path: formatPath(path), ...words }
  })
  faults.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  return once.size <= faultsAtOnce ? faults : [...faults, more(source, once.size - faultsAtOnce)]
}

function more(source: string, count: number): ConfigFault {
  return { source, line: null, column: null, path: '', found: `${count} more faults`, expected: 'none', hint: null, reason: 'schema' }
}

/** `routes[2].to`, `env["A B"]` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    if (!/^[\w-]{1,80}$/.test(part)) return `${text}[${JSON.stringify(part.slice(0, 80))}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}
