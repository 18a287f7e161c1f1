/** What could be read of a document, so that rules across keys are checked even while single keys are wrong. */
import type { RouteSpec } from '../routing/route.ts'
import { isMapping } from './mapping.ts'
import type { Plans } from './plan-check.ts'
import { readShape } from './schema.ts'
import type { Bootstrap, CacheSettings, Dynamic, Limits, VersionSettings } from './settings.ts'
import { type ParseOptions, settleBootstrap, settleHealth, settleRoute, settleVersion } from './settle.ts'
import { settleCache } from './settle-cache.ts'
import { builtInPlans, settlePlan } from './settle-rollout.ts'

/** A null is a part that has a fault of its own: nothing further is said of it. */
export interface Draft {
  readonly bootstrap: Limits | null
  readonly versions: ReadonlyMap<string, VersionSettings | null> | null
  readonly stable: string | null
  readonly candidate: string | null
  readonly routes: readonly (RouteSpec | null)[]
  /** The name of the plan, and the plans; those built in too. */
  readonly plan: string | null
  readonly plans: Plans | null
  readonly cache: CacheSettings | 'none' | null
}

export function draftOf(bootstrap: Limits, dynamic: Dynamic): Draft {
  const { versions, stable, candidate, routes, rollout, cache } = dynamic
  return {
    bootstrap,
    versions: new Map(Object.entries(versions)),
    stable,
    candidate,
    routes,
    plan: rollout.plan,
    plans: new Map(Object.entries(rollout.plans)),
    cache: cache ?? 'none',
  }
}

/** Null for a `bootstrap` with a fault; its defaults where there is none. */
export function salvageBootstrap(document: unknown, options: ParseOptions): Bootstrap | null {
  const shape = readShape('bootstrap', isMapping(document) ? document.bootstrap : undefined)
  return shape.ok ? settleBootstrap(shape.value, options) : null
}

export function salvage(document: unknown, bootstrap: Limits | null): Draft {
  const given = isMapping(document) ? document : {}
  const rollout = isMapping(given.rollout) ? given.rollout : {}
  return {
    bootstrap,
    versions: salvageVersions(given),
    stable: salvageName(given.stable),
    candidate: salvageName(given.candidate),
    routes: Array.isArray(given.routes) ? given.routes.map(salvageRoute) : [],
    plan: salvageName(rollout.plan),
    plans: salvagePlans(rollout.plans),
    cache: salvageCache(given.cache),
  }
}

function salvageVersions(given: Record<string, unknown>): Map<string, VersionSettings | null> | null {
  if (!isMapping(given.versions) || Array.isArray(given.versions) || Object.keys(given.versions).length === 0) return null
  const shape = readShape('health', given.health)
  const health = shape.ok ? settleHealth(shape.value) : null
  return new Map(
    Object.entries(given.versions).map(([name, value]) => {
      const version = readShape('version', value)
      return [name, version.ok && health ? settleVersion(version.value, health) : null] as const
    }),
  )
}

function salvagePlans(given: unknown): Plans | null {
  if (given !== undefined && (!isMapping(given) || Array.isArray(given))) return null
  const builtIn = Object.entries(builtInPlans).map(([name, plan]) => [name, settlePlan(name, plan)] as const)
  const own = Object.entries(given ?? {}).map(([name, value]) => {
    const plan = readShape('plan', value)
    return [name, plan.ok ? settlePlan(name, plan.value) : null] as const
  })
  return new Map([...builtIn, ...own])
}

function salvageCache(given: unknown): Draft['cache'] {
  if (given === undefined) return 'none'
  const shape = readShape('cache', given)
  return shape.ok ? settleCache(shape.value) : null
}

function salvageName(value: unknown): string | null {
  const shape = readShape('name', value)
  return shape.ok ? shape.value : null
}

function salvageRoute(value: unknown): RouteSpec | null {
  const shape = readShape('route', value)
  return shape.ok ? settleRoute(shape.value) : null
}
