/** Why a request goes where it goes, for `baton route`. It asks the same code that decides, and only puts the outcome into words. */
import { bucketAt, buckets } from './bucket.ts'
import { type BoundRoutes, choose, sharesOf } from './choose.ts'
import { type CompiledRoute, claims, firstFailing } from './match.ts'
import type { Decision, Roles, RouteRequest, Target } from './route.ts'
import type { Share } from './share.ts'
import { candidate, stable, targetWords } from './target.ts'

/** Serialisable JSON. */
export interface Explanation {
  /** Every route in order, those after the one that claimed the request too. */
  readonly routes: readonly RouteTrial[]
  readonly decision: Decision
  /** Null where there was but one share, and so no need of a bucket. */
  readonly bucket: { readonly value: number; readonly source: 'cookie' | 'header' | 'drawn' } | null
  /** One line. */
  readonly reason: string
}

export interface RouteTrial {
  readonly route: string
  readonly matched: boolean
  /** Of a route that did not match: the first failing condition of each alternative. */
  readonly failures: readonly Failure[]
}

export interface Failure {
  /** Position among the alternatives; null for the route's `only`. */
  readonly alternative: number | null
  /** `header x-canary` */
  readonly condition: string
  readonly found: string
  readonly expected: string
}

/** `header x-canary: found absent, expected exact "true"` */
export function formatFailure(failure: Failure): string {
  return `${failure.condition}: found ${failure.found}, expected ${failure.expected}`
}

export function explainChoice(bound: BoundRoutes, request: RouteRequest, draw: () => number): Explanation {
  let drawn: number | null = null
  const decision = choose(bound, request, () => {
    drawn = draw()
    return drawn
  })
  const bucket = bucketOf(bound, request, decision, drawn)
  return {
    routes: bound.routes.map((route) => trialOf(route, request)),
    decision,
    bucket,
    reason: reasonOf(bound, decision, bucket),
  }
}

function trialOf(route: CompiledRoute, request: RouteRequest): RouteTrial {
  const matched = claims(route, request)
  return { route: route.spec.name, matched, failures: matched ? [] : failuresOf(route, request) }
}

function failuresOf(route: CompiledRoute, request: RouteRequest): readonly Failure[] {
  if (route.only !== null && !route.only.holds(request)) {
    const { expected } = route.only
    return [{ alternative: null, condition: 'only: client', found: route.only.found(request), expected }]
  }
  return route.alternatives.flatMap((alternative, index) => {
    const failing = firstFailing(alternative, request)
    if (failing === null) return []
    return [{ alternative: index, condition: failing.what, found: failing.found(request), expected: failing.expected }]
  })
}

function bucketOf(bound: BoundRoutes, request: RouteRequest, decision: Decision, drawn: number | null): Explanation['bucket'] {
  if (sharesOf(bound, decision.index).length < 2) return null
  if (drawn !== null) return { value: bucketAt(drawn), source: 'drawn' }
  const value = bound.sticky.byCookie(request)
  return value === -1 ? { value: bound.sticky.byHeader(request), source: 'header' } : { value, source: 'cookie' }
}

function reasonOf(bound: BoundRoutes, decision: Decision, bucket: Explanation['bucket']): string {
  const spec = bound.routes[decision.index]?.spec
  const shares = sharesOf(bound, decision.index)
  const at = shares.findIndex((share) => share.decision === decision)
  const range = `${shares[at - 1]?.end ?? 0} to ${(shares[at]?.end ?? buckets) - 1} of ${buckets}`
  const lot = bucket === null ? '' : `bucket ${bucket.value} (${bucket.source}) lies in ${range}, the share of `
  const spare = decision.fallback === null ? '' : `; if that is not serving, ${decision.fallback}`
  const claim = spec === undefined ? 'no route claimed it' : `route ${spec.name} claimed it`
  return `${claim}: ${lot}${shareWords(shares[at], spec?.fallback ?? null, bound.roles)}${spare}`
}

function shareWords(share: Share | undefined, fallback: Target | null, roles: Roles): string {
  if (share?.moved === true) return `stable, moved by the weight of ${roles.weight} % to ${targetWords(candidate, null, roles)}`
  return targetWords(share?.target ?? stable, fallback, roles)
}
