/** Whether a failed attempt may be followed by another (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1). */
import type { Fault } from '../errors.ts'
import type { Sent } from '../upstream/transport/transport.ts'

export function isIdempotent(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'PUT':
    case 'DELETE':
    case 'OPTIONS':
    case 'TRACE':
      return true
    default:
      return false
  }
}

/** What certainly never left may be sent again; what may have arrived only if doing it twice is the same as once. */
export function isRetriable(fault: Fault, sent: Sent, method: string): boolean {
  if (sent === 'nothing') return fault.code === 'connect-failed' || fault.code === 'connect-timeout' || fault.code === 'upstream-reset'
  return fault.code === 'upstream-reset' && isIdempotent(method)
}
