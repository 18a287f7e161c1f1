/** What a target means while the roles are what they are. */
import type { Roles, Target, VersionName } from './route.ts'

export const stable: Target = 'stable'
export const candidate: Target = 'candidate'

/**
 * The version that a target stands for. With no candidate set, `candidate` is the fallback; and with no fallback either (or one that is
 * the candidate again) it is stable: a request that some route claims is never without a version.
 */
export function resolve(target: Target, fallback: Target | null, roles: Roles): VersionName {
  return standsFor(target, roles) ?? standsFor(fallback, roles) ?? roles.stable
}

/** The version to take when `version` is not serving; null if there is no other. */
export function resolveFallback(fallback: Target | null, version: VersionName, roles: Roles): VersionName | null {
  const other = standsFor(fallback, roles)
  return other === version ? null : other
}

function standsFor(target: Target | null, roles: Roles): VersionName | null {
  if (target === stable) return roles.stable
  return target === candidate ? roles.candidate : target
}

/** `stable, which is v1`; `candidate, which is not set: its fallback stable, which is v1` */
export function targetWords(target: Target, fallback: Target | null, roles: Roles): string {
  const version = standsFor(target, roles)
  if (version !== null) return version === target ? version : `${target}, which is ${version}`
  const other = standsFor(fallback, roles)
  if (fallback === null || other === null)
    return `${target}, which is not set, and there is no fallback: ${targetWords(stable, null, roles)}`
  return `${target}, which is not set: its fallback ${targetWords(fallback, null, roles)}`
}
