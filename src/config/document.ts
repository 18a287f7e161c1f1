/**
 * A YAML 1.2 (or JSON) text as a plain value, and where each part of it stands. The only file that knows the yaml library.
 * Anchors and aliases work, within a bound on what they expand to; merge keys (`<<`, YAML 1.1) and unknown tags are refused.
 */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  stringify,
  visit,
  type YAMLMap,
} from 'yaml'
import { ConfigError, type ConfigFault, errorMessage } from '../errors.ts'
import type { Location, Path } from './complaint.ts'
import { inWords, quoted } from './misread.ts'

/** A ConfigMap and an etcd value hold no more either. */
export const documentBytes = 1_048_576
const documentDepth = 64
const tooDeep = ['deeper nesting', `at most ${documentDepth} levels`] as const
const yamlOptions = { version: '1.2', schema: 'core', merge: false, prettyErrors: false, stringKeys: true, uniqueKeys: false } as const
const aliasCount = 100

export interface TopKey {
  readonly name: string
  /** Offset of the key in the text. */
  readonly start: number
}

export interface ConfigDocument {
  readonly value: unknown
  /** `flow` is `{…}`, which JSON is. */
  readonly root: 'block' | 'flow'
  readonly topKeys: readonly TopKey[]
  /** Of a missing part: its nearest ancestor. */
  locate(path: Path, at: 'key' | 'value'): Location
}

/** Throws ConfigError with every fault of syntax. */
export function readDocument(text: string, source: string): ConfigDocument {
  refuseUnreadable(text, source)
  const lines = new LineCounter()
  const document = parse(text, source, lines)
  const faults = [...syntaxFaults(document, source, lines), ...shapeFaults(document, source, lines)]
  if (faults.length > 0) throw new ConfigError(faults)
  const root = document.contents
  if (!isMap(root)) throw new ConfigError([fault(source, { line: 1, col: 1 }, inWords(document.toJS()), 'a mapping of keys', null)])
  return {
    value: expand(document, source),
    root: root.flow ? 'flow' : 'block',
    topKeys: root.items.map((pair) => ({ name: keyName(pair.key), start: offsetOf(pair.key) ?? 0 })),
    locate: (path, at) => locate(document, lines, path, at),
  }
}

/** Keys are checked for repetition in `shapeFaults`, since the library's own check takes quadratic time. */
function parse(text: string, source: string, lines: LineCounter): Document {
  try {
    return parseDocument(text, { ...yamlOptions, lineCounter: lines })
  } catch (error) {
    throw new ConfigError([fault(source, null, errorMessage(error), 'YAML 1.2 or JSON', null)])
  }
}

/** A value as a YAML text in block form. */
export function renderYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
}

function refuseUnreadable(text: string, source: string): void {
  const bytes = Buffer.byteLength(text)
  if (bytes > documentBytes) throw new ConfigError([fault(source, null, `${bytes} bytes`, `at most ${documentBytes} bytes`, null)])
  const depth = deepest(text)
  if (depth > documentDepth) throw new ConfigError([fault(source, null, ...tooDeep, null)])
}

/** The longest run of indicators that opens a line: the parser's time is quadratic in it. */
function deepest(text: string): number {
  let most = 0
  for (const [opening] of text.matchAll(/^[ \t]*(?:[?-][ \t]+)+/gm)) most = Math.max(most, opening.replace(/[ \t]/g, '').length)
  return most
}

type Position = { readonly line: number; readonly col: number } | null

function fault(source: string, position: Position, found: string, expected: string, hint: string | null): ConfigFault {
  return { source, line: position?.line ?? null, column: position?.col ?? null, path: '', found, expected, hint, reason: 'syntax' }
}

function syntaxFaults(document: Document, source: string, lines: LineCounter): ConfigFault[] {
  return [...document.errors, ...document.warnings].slice(0, 100).map((error) => {
    if (/call stack/.test(error.message)) return fault(source, lines.linePos(error.pos[0]), ...tooDeep, null)
    const hint = error.code === 'TAB_AS_INDENT' ? 'indent with spaces' : null
    return fault(source, lines.linePos(error.pos[0]), error.message.replace(/\s+/g, ' '), 'YAML 1.2 or JSON', hint)
  })
}

/** What is YAML, but not ours: merge keys, a key twice; and an alias of nothing, which the library finds too late to say where. */
function shapeFaults(document: Document, source: string, lines: LineCounter): ConfigFault[] {
  const faults: ConfigFault[] = []
  const anchors = new Set<string>()
  const refuseDepth = (node: unknown, path: readonly unknown[]): symbol | undefined => {
    if (path.filter(isCollection).length <= documentDepth) return undefined
    faults.push(fault(source, lines.linePos(offsetOf(node) ?? 0), ...tooDeep, null))
    return visit.BREAK
  }
  visit(document, {
    Value(_, node, path) {
      if (node.anchor) anchors.add(node.anchor)
      return refuseDepth(node, path)
    },
    Alias(_, alias) {
      if (anchors.has(alias.source)) return
      faults.push(
        fault(source, lines.linePos(offsetOf(alias) ?? 0), `the alias ${quoted(alias.source)}`, 'an anchor of that name before it', null),
      )
    },
    Map(_, map, path) {
      if (map.anchor) anchors.add(map.anchor)
      const seen = new Set<string>()
      for (const { key } of map.items) {
        const name = keyName(key)
        const position = lines.linePos(offsetOf(key) ?? 0)
        if (name === '<<') faults.push(fault(source, position, 'a merge key "<<"', 'plain keys', 'use an alias for the whole value'))
        if (seen.has(name)) faults.push(fault(source, position, `the key ${quoted(name)} again`, 'each key once', null))
        seen.add(name)
      }
      return refuseDepth(map, path)
    },
  })
  return faults.slice(0, 100)
}

function expand(document: Document, source: string): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasCount })
  } catch (error) {
    throw new ConfigError([fault(source, null, errorMessage(error), `aliases that expand to at most ${aliasCount} parts`, null)])
  }
}

function keyName(key: unknown): string {
  return String(isScalar(key) ? key.value : key)
}

function offsetOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null
}

function locate(document: Document, lines: LineCounter, path: Path, at: 'key' | 'value'): Location {
  let node: unknown = document.contents
  let best = offsetOf(node) ?? 0
  for (const [depth, part] of path.entries()) {
    const found = child(resolved(node, document), part)
    if (!found) break
    node = found.value
    const last = depth === path.length - 1
    const valueOffset = offsetOf(found.value)
    const wanted = last && at === 'value' && !isEmptyScalar(found.value) ? valueOffset : found.keyOffset
    best = wanted ?? valueOffset ?? best
  }
  const { line, col } = lines.linePos(best)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}

function child(node: unknown, part: string | number): { keyOffset: number | null; value: unknown } | null {
  if (isMap(node)) {
    const pair = findPair(node, String(part))
    return pair ? { keyOffset: offsetOf(pair.key), value: pair.value } : null
  }
  if (!isSeq(node) || typeof part !== 'number' || part >= node.items.length) return null
  return { keyOffset: offsetOf(node.items[part]), value: node.items[part] }
}

function findPair(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find((pair) => keyName(pair.key) === name)
}

function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? (node.resolve(document) as Node | undefined) : node
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.range?.[0] === node.range?.[1]
}
