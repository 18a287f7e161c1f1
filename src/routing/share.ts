/**
 * The shares of a route: which buckets go to which target. `to` is one share of all buckets.
 *
 * In a split what leads to the candidate has the lowest buckets, what leads to stable the highest, the rest lies between, by name. So as
 * the candidate's weight grows its range only grows, and nobody who is there moves back; and the same buckets are the candidate's on every
 * route, whether a route calls it by its role or by its name.
 */
import { buckets } from './bucket.ts'
import type { CompiledRoute } from './match.ts'
import type { Decision, Roles, RouteSpec, Target } from './route.ts'
import { shifted } from './shift.ts'
import { resolve, resolveFallback, stable } from './target.ts'

export interface Share {
  readonly target: Target
  /** It has the buckets from the end of the share before it up to this one, exclusive. */
  readonly end: number
  readonly decision: Decision
  /** Stable's by the configuration; the weight of the running plan has moved it to the candidate. */
  readonly moved: boolean
}

export function bindShares(route: CompiledRoute, index: number, roles: Roles): readonly Share[] {
  const weights = orderedWeights(route.spec, roles)
  const ends = endsOf(weights.map(([, weight]) => weight))
  return weights.flatMap(([target], at) => {
    const share = { target, end: ends[at] ?? buckets, decision: decisionOf(route, index, target, roles), moved: false }
    return shifted(share, ends[at - 1] ?? 0, roles)
  })
}

/** Of what no route claims. */
export function bindUnclaimed(roles: Roles): readonly Share[] {
  const decision: Decision = { route: null, index: -1, version: roles.stable, fallback: null, set: [] }
  return shifted({ target: stable, end: buckets, decision, moved: false }, 0, roles)
}

/** The share that has the bucket. Undefined if there are no shares, which no route has. */
export function shareAt(shares: readonly Share[], bucket: number): Share | undefined {
  for (const share of shares) if (bucket < share.end) return share
  return shares.at(-1)
}

function decisionOf(route: CompiledRoute, index: number, target: Target, roles: Roles): Decision {
  const { name, fallback } = route.spec
  const version = resolve(target, fallback, roles)
  return { route: name, index, version, fallback: resolveFallback(fallback, version, roles), set: route.set }
}

function orderedWeights(spec: RouteSpec, roles: Roles): readonly (readonly [Target, number])[] {
  if ('to' in spec.action) return [[spec.action.to, 1]]
  const rank = (target: Target): number => {
    const version = resolve(target, spec.fallback, roles)
    return version === roles.stable ? 2 : version === roles.candidate ? 0 : 1
  }
  // By code units, never by a locale: every pod must sort alike.
  return Object.entries(spec.action.split).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

/** However small its weight, a share has one bucket at least: what is configured is never silently nothing. */
function endsOf(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let sum = 0
  let previous = 0
  return weights.map((weight, at) => {
    sum += weight
    const last = buckets - (weights.length - 1 - at)
    previous = Math.min(last, Math.max(previous + 1, Math.round((sum / total) * buckets)))
    return previous
  })
}
