/** Where a request is to end at this hop (RFC 9110 section 7.6.2), or is about the server as such (section 9.3.7): baton answers. */
import type { Raw } from '../routing/route.ts'
import { fieldValue } from './field.ts'
import type { Head } from './inbound/inbound.ts'

export interface OwnAnswer {
  readonly status: number
  readonly reason: string
  readonly fields: Raw
}

/** null for every ordinary request, which costs two comparisons. */
export function ownAnswer(head: Head): OwnAnswer | null {
  if (head.method !== 'OPTIONS' && head.method !== 'TRACE') return null
  if (head.target !== '*' && maxForwards(head.raw) !== 0) return null
  // TRACE would echo the fields that a proxy before baton added, secrets included
  if (head.method === 'TRACE') return { status: 501, reason: 'Not Implemented', fields: ['content-length', '0', 'via', '1.1 baton'] }
  return { status: 204, reason: 'No Content', fields: ['via', '1.1 baton'] }
}

/** The number of hops that are left; null without one that can be read. */
function maxForwards(raw: Raw): number | null {
  const value = fieldValue(raw, 'max-forwards') ?? ''
  return /^[0-9]{1,9}$/.test(value) ? Number(value) : null
}

/** One hop less, where the method makes it count. */
export function forwardedHops(method: string, value: string): string {
  const counts = (method === 'OPTIONS' || method === 'TRACE') && /^[0-9]{1,9}$/.test(value)
  return counts ? String(Math.max(0, Number(value) - 1)) : value
}
