/** The one table from a fault to an answer. baton never answers 404 of its own. */
import type { Fault, FaultCode } from '../errors.ts'
import type { Raw } from '../routing/route.ts'
import { headText } from './head-text.ts'

export interface FaultAnswer {
  /** null: nobody is there to be answered. */
  readonly status: number | null
  readonly reason: string
  /** Seconds after which another try makes sense. */
  readonly retryAfterS: number | null
  /** The connection cannot be used again: what follows on it may be read in two ways. */
  readonly close: boolean
}

export const faultAnswers: Readonly<Record<FaultCode, FaultAnswer>> = {
  'bad-request': { status: 400, reason: 'Bad Request', retryAfterS: null, close: true },
  'client-timeout': { status: 408, reason: 'Request Timeout', retryAfterS: null, close: true },
  'body-too-large': { status: 413, reason: 'Content Too Large', retryAfterS: null, close: true },
  'uri-too-long': { status: 414, reason: 'URI Too Long', retryAfterS: null, close: true },
  'expectation-failed': { status: 417, reason: 'Expectation Failed', retryAfterS: null, close: true },
  'head-too-large': { status: 431, reason: 'Request Header Fields Too Large', retryAfterS: null, close: true },
  'client-gone': { status: null, reason: '', retryAfterS: null, close: true },
  internal: { status: 500, reason: 'Internal Server Error', retryAfterS: null, close: true },
  'method-not-supported': { status: 501, reason: 'Not Implemented', retryAfterS: null, close: true },
  'connect-failed': { status: 502, reason: 'Bad Gateway', retryAfterS: null, close: false },
  'upstream-reset': { status: 502, reason: 'Bad Gateway', retryAfterS: null, close: false },
  'upstream-protocol': { status: 502, reason: 'Bad Gateway', retryAfterS: null, close: false },
  'not-serving': { status: 503, reason: 'Service Unavailable', retryAfterS: 1, close: false },
  'limit-reached': { status: 503, reason: 'Service Unavailable', retryAfterS: 1, close: false },
  'queue-timeout': { status: 503, reason: 'Service Unavailable', retryAfterS: 1, close: false },
  stopping: { status: 503, reason: 'Service Unavailable', retryAfterS: 1, close: true },
  'connect-timeout': { status: 504, reason: 'Gateway Timeout', retryAfterS: null, close: false },
  'head-timeout': { status: 504, reason: 'Gateway Timeout', retryAfterS: null, close: false },
  'idle-timeout': { status: 504, reason: 'Gateway Timeout', retryAfterS: null, close: false },
  'exchange-timeout': { status: 504, reason: 'Gateway Timeout', retryAfterS: null, close: false },
  'version-not-supported': { status: 505, reason: 'HTTP Version Not Supported', retryAfterS: null, close: true },
}

/** Fields of an answer that baton gives itself, with `bodyOf` as its body. */
export function faultFields(fault: Fault, body: Buffer): Raw {
  const { retryAfterS } = faultAnswers[fault.code]
  const fields = ['content-type', 'text/plain; charset=utf-8', 'content-length', String(body.length), 'cache-control', 'no-store']
  fields.push('baton-error', `${fault.code}; ${headerText(fault.detail)}`, 'via', '1.1 baton')
  if (retryAfterS !== null) fields.push('retry-after', String(retryAfterS))
  return fields
}

export function bodyOf(fault: Fault): Buffer {
  const { status, reason } = faultAnswers[fault.code]
  return Buffer.from(`${status} ${reason}: ${headerText(fault.detail)}\n`)
}

/** A whole answer for a connection that has no request to answer (its head could not be read). */
export function rawAnswer(fault: Fault): string {
  const { status, reason } = faultAnswers[fault.code]
  const body = bodyOf(fault)
  return headText(status ?? 400, reason, ['connection', 'close', ...faultFields(fault, body)]) + body.toString()
}

/** One line of visible ASCII: a detail may quote what an app or a client said. */
function headerText(detail: string): string {
  return detail.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200)
}
