/** Where a user's bucket comes from: the cookie's first value that is not empty, else the header's. */
import { bucketOfRange, seedOf } from './bucket.ts'
import { anyCookie } from './cookie.ts'
import { anyHeader } from './header.ts'
import type { RouteRequest, StickySpec } from './route.ts'
import type { ValueTest } from './text.ts'

/** Each gives a bucket, or -1 if the request has no such key. */
export interface Sticky {
  byCookie(request: RouteRequest): number
  byHeader(request: RouteRequest): number
}

export function bindSticky(spec: StickySpec | null, salt: string): Sticky {
  const cookie = spec?.cookie ?? null
  const header = spec?.header?.toLowerCase() ?? null
  const seed = seedOf(salt)
  let bucket = -1
  // A test that keeps the bucket of the first value that can be a key; one for all requests, so that none allocates.
  const key: ValueTest = {
    holds(text, from, to) {
      if (from === to) return false
      bucket = bucketOfRange(text, from, to, seed)
      return true
    },
  }
  return {
    byCookie: (request) => (cookie !== null && anyCookie(request.raw, cookie, key) ? bucket : -1),
    byHeader: (request) => (header !== null && anyHeader(request.raw, header, key) ? bucket : -1),
  }
}
