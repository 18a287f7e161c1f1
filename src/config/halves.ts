/** The two halves of a document as texts: the bootstrap half with its comments, and the rest. */
import { ConfigError } from '../errors.ts'
import { canonicalJson } from './compile.ts'
import { type ConfigDocument, readDocument, renderYaml } from './document.ts'
import { isMapping } from './mapping.ts'

/** What anyone may see and replace: the document without its bootstrap half. `text` must have been read before. */
export function dynamicText(text: string): string {
  const document = readDocument(text, 'configuration')
  if (document.root === 'flow') return `${JSON.stringify(withoutBootstrap(document.value), null, 2)}\n`
  const { head, bootstrap } = regions(text, document)
  return bootstrap ? text.slice(head, bootstrap.start) + text.slice(bootstrap.end) : text.slice(head)
}

/**
 * `file` with its dynamic half replaced by `dynamic`: the bootstrap half, its comments and the file's opening comment stay as they are.
 * Null where the file is written in a form that cannot be cut by machine. Both texts must have been read before.
 */
export function replaceDynamic(file: string, dynamic: string): string | null {
  const before = readDocument(file, 'file')
  const after = readDocument(dynamic, 'request')
  const bootstrap = isMapping(before.value) ? before.value.bootstrap : undefined
  const wanted = { ...(bootstrap === undefined ? {} : { bootstrap }), ...(after.value as object) }
  // A text that was cut is trusted only if it still says what it should.
  return candidates(file, before, dynamic, after, wanted).find((text) => canonicalJson(said(text)) === canonicalJson(wanted)) ?? null
}

function candidates(file: string, before: ConfigDocument, dynamic: string, after: ConfigDocument, wanted: unknown): string[] {
  if (before.root === 'flow') return isJson(file) ? [`${JSON.stringify(wanted, null, 2)}\n`] : []
  const { head, bootstrap } = regions(file, before)
  const kept = bootstrap ? [file.slice(0, head), file.slice(bootstrap.start, bootstrap.end)] : [file.slice(0, head)]
  const opening = kept.map((part) => (part === '' || part.endsWith('\n') ? part : `${part}\n`)).join('')
  return [...(after.root === 'block' ? [opening + dynamic] : []), opening + renderYaml(after.value)]
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function said(text: string): unknown {
  try {
    return readDocument(text, 'joined').value
  } catch (error) {
    if (error instanceof ConfigError) return undefined
    throw error
  }
}

interface Regions {
  /** End of the opening comment: it belongs to the file, not to the first key. */
  readonly head: number
  readonly bootstrap: { readonly start: number; readonly end: number } | null
}

/** A comment right above a key belongs to that key; one that a blank line parts from the first key belongs to the file. */
function regions(text: string, document: ConfigDocument): Regions {
  const starts = document.topKeys.map((key) => commentStart(text, text.lastIndexOf('\n', key.start - 1) + 1))
  const index = document.topKeys.findIndex((key) => key.name === 'bootstrap')
  const head = starts[0] ?? 0
  const start = starts[index]
  return { head, bootstrap: start === undefined ? null : { start, end: starts[index + 1] ?? text.length } }
}

function commentStart(text: string, lineStart: number): number {
  let start = lineStart
  while (start > 0) {
    const before = text.lastIndexOf('\n', start - 2) + 1
    if (!/^\s*#/.test(text.slice(before, start))) break
    start = before
  }
  return start
}

function withoutBootstrap(value: unknown): unknown {
  return isMapping(value) ? Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'bootstrap')) : value
}
