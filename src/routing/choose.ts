/** From a request to a decision: the first route that claims it, then its share. Nothing here allocates per request. */
import { bucketAt } from './bucket.ts'
import { type CompiledRoute, claiming } from './match.ts'
import type { Decision, Roles, RouteRequest, StickySpec } from './route.ts'
import { bindShares, bindUnclaimed, type Share, shareAt } from './share.ts'
import { bindSticky, type Sticky } from './sticky.ts'

/** Routes while the roles are what they are. Every decision that can be made is made here already. */
export interface BoundRoutes {
  readonly roles: Roles
  readonly routes: readonly CompiledRoute[]
  /** By the route's position. */
  readonly shares: readonly (readonly Share[])[]
  readonly sticky: Sticky
  /** Of what no route claims. */
  readonly unclaimed: readonly Share[]
  /** Stable, plainly. */
  readonly stable: Decision
}

export function bindRoutes(routes: readonly CompiledRoute[], sticky: StickySpec | null, roles: Roles): BoundRoutes {
  return {
    roles,
    routes,
    shares: routes.map((route, index) => bindShares(route, index, roles)),
    sticky: bindSticky(sticky, roles.salt),
    unclaimed: bindUnclaimed(roles),
    stable: { route: null, index: -1, version: roles.stable, fallback: null, set: [] },
  }
}

/** Asks for a bucket only where there is more than one share; then calls `draw` once if the request has no sticky key. */
export function choose(bound: BoundRoutes, request: RouteRequest, draw: () => number): Decision {
  const shares = sharesOf(bound, claiming(bound.routes, request))
  const share = shares.length === 1 ? shares[0] : shareAt(shares, bucketFor(bound.sticky, request, draw))
  return share?.decision ?? bound.stable
}

/** `index` as a decision has it. */
export function sharesOf(bound: BoundRoutes, index: number): readonly Share[] {
  return (index === -1 ? undefined : bound.shares[index]) ?? bound.unclaimed
}

function bucketFor(sticky: Sticky, request: RouteRequest, draw: () => number): number {
  const byCookie = sticky.byCookie(request)
  if (byCookie !== -1) return byCookie
  const byHeader = sticky.byHeader(request)
  return byHeader === -1 ? bucketAt(draw()) : byHeader
}
