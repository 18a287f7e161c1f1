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

/** Once more where it failed, on a fresh connection, then the fallback; at once the fallback where it was a fresh connection that failed. */
export function nextOf<V extends { readonly serving: boolean }>(
  { code }: Fault,
  attempts: number,
  failed: V,
  fallback: V | null,
): V | null {
  if (attempts > 2) return null
  const other = fallback === failed ? null : fallback
  const wasFresh = code === 'connect-failed' || code === 'connect-timeout'
  return attempts === 1 && failed.serving && !(wasFresh && other !== null) ? failed : other
}
