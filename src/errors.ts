/**
 * The typed errors. A `Fault` is what went wrong with one exchange; a `BatonError` is what stops a command or a start.
 * Both carry a code that is stable across releases, a cause, and whose doing it was.
 */

/** Who has to act. */
type Blame = 'client' | 'upstream' | 'operator' | 'baton'

/** Each code's answer (status, headers) stands in one table, `proxy/respond.ts`. */
export type FaultCode =
  | 'bad-request'
  | 'uri-too-long'
  | 'head-too-large'
  | 'body-too-large'
  | 'expectation-failed'
  | 'method-not-supported'
  | 'version-not-supported'
  | 'client-timeout'
  | 'client-gone'
  | 'not-serving'
  | 'limit-reached'
  | 'queue-timeout'
  | 'stopping'
  | 'connect-failed'
  | 'connect-timeout'
  | 'head-timeout'
  | 'idle-timeout'
  | 'exchange-timeout'
  | 'upstream-reset'
  | 'upstream-protocol'
  | 'internal'

const blameOf: Record<FaultCode, Blame> = {
  'bad-request': 'client',
  'uri-too-long': 'client',
  'head-too-large': 'client',
  'body-too-large': 'client',
  'expectation-failed': 'client',
  'method-not-supported': 'client',
  'version-not-supported': 'client',
  'client-timeout': 'client',
  'client-gone': 'client',
  'not-serving': 'upstream',
  'limit-reached': 'operator',
  'queue-timeout': 'operator',
  stopping: 'operator',
  'connect-failed': 'upstream',
  'connect-timeout': 'upstream',
  'head-timeout': 'upstream',
  'idle-timeout': 'upstream',
  'exchange-timeout': 'upstream',
  'upstream-reset': 'upstream',
  'upstream-protocol': 'upstream',
  internal: 'baton',
}

/** What went wrong with one exchange. `detail` is for the log and the `baton-error` header: one line, no secrets. */
export class Fault {
  readonly code: FaultCode
  readonly detail: string
  readonly cause: unknown

  constructor(code: FaultCode, detail: string, cause?: unknown) {
    this.code = code
    this.detail = detail
    this.cause = cause
  }

  get blame(): Blame {
    return blameOf[this.code]
  }
}

/** Exit codes, one table for every command (DESIGN.md section 2). */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  rolledBack: 3,
  refused: 4,
  unfinished: 5,
} as const
export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export type BatonErrorCode =
  | 'usage'
  | 'config'
  | 'bind'
  | 'locked'
  | 'unreachable'
  | 'denied'
  | 'refused'
  | 'state'
  | 'unsupported'
  | 'start'

const exitOf: Record<BatonErrorCode, ExitCode> = {
  usage: exitCode.usage,
  config: exitCode.usage,
  bind: exitCode.usage,
  locked: exitCode.usage,
  unsupported: exitCode.usage,
  unreachable: exitCode.failed,
  denied: exitCode.failed,
  state: exitCode.failed,
  start: exitCode.failed,
  refused: exitCode.refused,
}

/** Stops a command or a start. The message is one line and says what the user can do. */
export class BatonError extends Error {
  readonly code: BatonErrorCode
  constructor(code: BatonErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'BatonError'
    this.code = code
  }
  get exit(): ExitCode {
    return exitOf[this.code]
  }
}

/** One fault of a configuration: where it is, what was found there, and what was expected. */
export interface ConfigFault {
  /** File name or key; `-` for standard input. */
  readonly source: string
  /** 1-based; null where the document has no such place (a missing key points at its parent). */
  readonly line: number | null
  readonly column: number | null
  /** `versions.v1.url`, `routes[2].to` */
  readonly path: string
  readonly found: string
  readonly expected: string
  /** The nearest known key, or what to do. */
  readonly hint: string | null
  /** Bounded; the label of `baton_config_rejected_total{reason}`. `busy`: right in itself, and not now. */
  readonly reason: 'syntax' | 'schema' | 'cross-check' | 'busy' | 'unreadable' | 'unsupported'
}

/** All faults of one configuration, at once. */
export class ConfigError extends BatonError {
  readonly faults: readonly ConfigFault[]
  constructor(faults: readonly ConfigFault[]) {
    super('config', faults.map(formatConfigFault).join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** `baton.yaml:12:7 versions.v1.url: found "htp://x", expected an http:// URL (hint)` */
export function formatConfigFault(fault: ConfigFault): string {
  const place = fault.line === null ? fault.source : `${fault.source}:${fault.line}:${fault.column ?? 1}`
  const hint = fault.hint === null ? '' : ` (${fault.hint})`
  const path = fault.path === '' ? '' : ` ${fault.path}`
  return `${place}${path}: found ${fault.found}, expected ${fault.expected}${hint}`
}

/** The `code` of a Node error (`ECONNREFUSED`), or '' if it has none. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
