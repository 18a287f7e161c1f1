/**
 * What a plan's weight does to a share of `stable`: its buckets below the weight go to the candidate, the rest stays.
 *
 * The buckets are counted from 0 on every route alike, and not within the share: so a user leaves stable at the same weight wherever stable
 * would have had it, and never comes back while the weight grows. Of a split whose other targets hold the low buckets, stable's share
 * therefore begins to move only when the weight has passed them; at 100 it has moved whole.
 */
import { buckets } from './bucket.ts'
import type { Roles } from './route.ts'
import type { Share } from './share.ts'
import { stable } from './target.ts'

/** The share that has the buckets from `from` on, as the weight divides it. Only the role is moved: a version named outright never is. */
export function shifted(share: Share, from: number, roles: Roles): readonly Share[] {
  const end = Math.min(share.end, movedBuckets(roles))
  if (share.target !== stable || roles.candidate === null || roles.candidate === roles.stable || end <= from) return [share]
  // Who was moved has stable to fall back on: it is alive, and would have had the request.
  const decision = { ...share.decision, version: roles.candidate, fallback: roles.stable }
  const moved = { ...share, end, decision, moved: true }
  return end === share.end ? [moved] : [moved, share]
}

/** Buckets below this go to the candidate. However small the weight, it is one; and short of 100 % it is not all. */
function movedBuckets({ weight }: Roles): number {
  if (weight <= 0) return 0
  return weight >= 100 ? buckets : Math.min(buckets - 1, Math.max(1, Math.round((weight * buckets) / 100)))
}
