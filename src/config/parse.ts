/** A configuration's text → document → form → rules across keys → settings. All faults at once, or none. */
import { ConfigError, type ConfigFault } from '../errors.ts'
import { place } from './complaint.ts'
import { crossCheck } from './cross-check.ts'
import { type ConfigDocument, readDocument } from './document.ts'
import { type Draft, draftOf, salvage, salvageBootstrap } from './draft.ts'
import { complaintsOf } from './faults.ts'
import { knownKeys } from './known-keys.ts'
import { type Issue, readShape } from './schema.ts'
import type { Bootstrap, Dynamic, Limits } from './settings.ts'
import { type ParseOptions, settleBootstrap, settleDynamic } from './settle.ts'

export interface Config {
  readonly bootstrap: Bootstrap
  readonly dynamic: Dynamic
}

/** Both halves. `source` is the file's name, for the faults. Throws ConfigError. */
export function parseConfig(text: string, source: string, options: ParseOptions): Config {
  const document = readDocument(text, source)
  const shape = readShape('file', document.value)
  if (!shape.ok) {
    const draft = salvage(document.value, salvageBootstrap(document.value, options))
    throw new ConfigError(faultsOf(document, source, shape.issues, draft))
  }
  const config = { bootstrap: settleBootstrap(shape.value.bootstrap, options), dynamic: settleDynamic(shape.value) }
  refuse(faultsOf(document, source, [], draftOf(config.bootstrap, config.dynamic)))
  return config
}

/** The bootstrap half alone, of a document that need not have another. Throws ConfigError. */
export function parseBootstrap(text: string, source: string, options: ParseOptions): Bootstrap {
  const document = readDocument(text, source)
  const shape = readShape('file', document.value)
  const bootstrap = salvageBootstrap(document.value, options)
  const issues = shape.ok ? [] : shape.issues.filter(({ path }) => path[0] === 'bootstrap')
  const draft = { ...salvage({}, bootstrap), versions: null, routes: [] }
  refuse(faultsOf(document, source, issues, draft))
  if (bootstrap === null) throw new TypeError('a bootstrap half with a fault that nobody told')
  return bootstrap
}

/** The dynamic half alone, for a bootstrap half that runs, here or elsewhere. Throws ConfigError, for a `bootstrap` key too. */
export function parseDynamic(text: string, source: string, bootstrap: Limits): Dynamic {
  const document = readDocument(text, source)
  const shape = readShape('dynamic', document.value)
  if (!shape.ok) throw new ConfigError(faultsOf(document, source, shape.issues, salvage(document.value, bootstrap)).map(explainBootstrap))
  const dynamic = settleDynamic(shape.value)
  refuse(faultsOf(document, source, [], draftOf(bootstrap, dynamic)))
  return dynamic
}

/** What a dynamic half has wrong by itself, whichever bootstrap half it may meet. Throws ConfigError, for a `bootstrap` key too. */
export function checkDynamic(text: string, source: string): void {
  const document = readDocument(text, source)
  const shape = readShape('dynamic', document.value)
  refuse(faultsOf(document, source, shape.ok ? [] : shape.issues, salvage(document.value, null)).map(explainBootstrap))
}

/** The same rules for a dynamic half that meets another bootstrap half than its own. Empty if they hold. */
export function recheck(bootstrap: Limits, dynamic: Dynamic, text: string, source: string): ConfigFault[] {
  return faultsOf(readDocument(text, source), source, [], draftOf(bootstrap, dynamic))
}

function faultsOf(document: ConfigDocument, source: string, issues: readonly Issue[], draft: Draft): ConfigFault[] {
  const ofForm = complaintsOf(issues, document.value, knownKeys())
  return place([...ofForm, ...crossCheck(draft)], source, document.locate)
}

function refuse(faults: readonly ConfigFault[]): void {
  if (faults.length > 0) throw new ConfigError(faults)
}

function explainBootstrap(fault: ConfigFault): ConfigFault {
  if (fault.path !== 'bootstrap') return fault
  return { ...fault, found: 'the bootstrap half', expected: 'the dynamic half alone', hint: 'bootstrap comes from the local file only' }
}
