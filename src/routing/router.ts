/** Routing's front: a table of routes is compiled once per configuration, and bound to the roles each time these move. */
import { bindRoutes, choose } from './choose.ts'
import { type Explanation, explainChoice } from './explain.ts'
import { type CompiledRoute, compileRoute } from './match.ts'
import type { Decision, Roles, RouteRequest, RouteSpec, StickySpec } from './route.ts'

export type { Explanation } from './explain.ts'

/** Compiled routes. */
export interface RouteTable {
  readonly routes: readonly CompiledRoute[]
  readonly sticky: StickySpec | null
}

export interface Router {
  readonly table: RouteTable
  readonly roles: Roles
  /** First match wins; what no route claims goes to stable. `draw` gives a number in [0, 1), for a split without a sticky key. */
  decide(request: RouteRequest, draw: () => number): Decision
  /** The same decision, with its reasons. */
  explain(request: RouteRequest, draw: () => number): Explanation
}

/** Throws nothing for specs whose patterns pass `regexFault` and whose blocks pass `cidrFault`. */
export function compileRoutes(routes: readonly RouteSpec[], sticky: StickySpec | null): RouteTable {
  return { routes: routes.map(compileRoute), sticky }
}

export function bindRouter(table: RouteTable, roles: Roles): Router {
  const bound = bindRoutes(table.routes, table.sticky, roles)
  return {
    table,
    roles,
    decide: (request, draw) => choose(bound, request, draw),
    explain: (request, draw) => explainChoice(bound, request, draw),
  }
}
