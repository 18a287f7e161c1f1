/** Requests and routes for the tests: what a test does not name is plain. */
import type { Roles, RouteMatch, RouteRequest, RouteSpec } from '../../src/routing/route.ts'
import { bindRouter, compileRoutes } from '../../src/routing/router.ts'

export function request(parts: Partial<RouteRequest> = {}): RouteRequest {
  return { method: 'GET', target: '/', host: 'example.com', raw: [], client: '192.0.2.1', ...parts }
}

export function route(parts: Partial<RouteSpec> = {}): RouteSpec {
  return { name: 'route', match: [], action: { to: 'v2' }, fallback: null, set: {}, only: null, ...parts }
}

export const roles: Roles = { stable: 'v1', candidate: 'v2', salt: 'v2', weight: 0 }

/** For requests that must not need a draw. */
export function noDraw(): number {
  throw new Error('drew a bucket where none was needed')
}

/** Whether a route with this one match claims the request. */
export function matches(match: RouteMatch, parts: Partial<RouteRequest>): boolean {
  const router = bindRouter(compileRoutes([route({ match: [match] })], null), roles)
  return router.decide(request(parts), noDraw).index === 0
}
