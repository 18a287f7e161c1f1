/** A compiled route, and whether it claims a request: the one piece of code behind both `decide` and `explain`. */
import { type Condition, clientCondition, compileMatch } from './condition.ts'
import type { Raw, RouteRequest, RouteSpec } from './route.ts'

/** All of its conditions must hold; with none it always does. */
export type Alternative = readonly Condition[]

export interface CompiledRoute {
  readonly spec: RouteSpec
  /** Clients for whom it fails are treated as if the route were not there. */
  readonly only: Condition | null
  /** One must hold; with none the route claims every request. */
  readonly alternatives: readonly Alternative[]
  readonly set: Raw
}

/** Throws if a regex or a CIDR block has a fault. */
export function compileRoute(spec: RouteSpec): CompiledRoute {
  return {
    spec,
    only: spec.only === null ? null : clientCondition(spec.only.cidrs),
    alternatives: spec.match.map(compileMatch),
    set: Object.entries(spec.set).flat(),
  }
}

/** The position of the first route that claims the request; -1 if none does. */
export function claiming(routes: readonly CompiledRoute[], request: RouteRequest): number {
  for (let index = 0; index < routes.length; index++) {
    const route = routes[index]
    if (route !== undefined && claims(route, request)) return index
  }
  return -1
}

export function claims(route: CompiledRoute, request: RouteRequest): boolean {
  if (route.only !== null && !route.only.holds(request)) return false
  if (route.alternatives.length === 0) return true
  for (const alternative of route.alternatives) if (firstFailing(alternative, request) === null) return true
  return false
}

/** The first condition that does not hold; null if all do. */
export function firstFailing(alternative: Alternative, request: RouteRequest): Condition | null {
  for (const condition of alternative) if (!condition.holds(request)) return condition
  return null
}
