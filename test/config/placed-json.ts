/** Writes a value as JSON, each entry on a line of its own, and tells where each part stands: an oracle for the places of faults. */
export type Path = readonly (string | number)[]

export interface Place {
  readonly line: number
  readonly column: number
}

export interface PlacedJson {
  readonly text: string
  key(path: Path): Place | undefined
  value(path: Path): Place | undefined
}

export function placedJson(value: unknown): PlacedJson {
  const keys = new Map<string, Place>()
  const values = new Map<string, Place>()
  const lines: string[] = ['']
  const here = (): Place => ({ line: lines.length, column: (lines.at(-1) ?? '').length + 1 })
  const add = (text: string): void => {
    lines.push(`${lines.pop() ?? ''}${text}`)
  }

  function write(path: Path, part: unknown): void {
    values.set(JSON.stringify(path), here())
    if (typeof part === 'object' && part !== null) writeEntries(path, part)
    else add(JSON.stringify(part))
  }

  function writeEntries(path: Path, part: object): void {
    const isList = Array.isArray(part)
    const entries = isList ? part.map((item, index) => [index, item] as const) : Object.entries(part)
    add(isList ? '[' : '{')
    for (const [index, [key, item]] of entries.entries()) {
      lines.push(' '.repeat(path.length + 1))
      const inner = [...path, key]
      keys.set(JSON.stringify(inner), here())
      if (!isList) add(`${JSON.stringify(key)}: `)
      write(inner, item)
      if (index < entries.length - 1) add(',')
    }
    add(isList ? ']' : '}')
  }

  write([], value)
  return { text: lines.join('\n'), key: (path) => keys.get(JSON.stringify(path)), value: (path) => values.get(JSON.stringify(path)) }
}

export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((part, key) => (part as Record<string | number, unknown> | undefined)?.[key], root)
}

/** A copy with the part at `path` changed; `undefined` takes it away. */
export function changed(root: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(root)
  const parent = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>
  const key = path.at(-1) ?? ''
  if (value === undefined) delete parent[key]
  else parent[key] = value
  return copy
}

/** Every path within a value, the root's left out. */
export function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return path.length === 0 ? [] : [path]
  const entries = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value)
  return [...(path.length === 0 ? [] : [path]), ...entries.flatMap(([key, item]) => pathsOf(item, [...path, key]))]
}
