/** From validated settings to the snapshot that exchanges use. */
import { createHash } from 'node:crypto'
import type { Roles } from '../routing/route.ts'
import { bindRouter, compileRoutes } from '../routing/router.ts'
import type { Bootstrap, Dynamic } from './settings.ts'
import type { Snapshot } from './snapshot.ts'

/** `roles` are the configuration's own where nothing else owns them. */
export function compileSnapshot(bootstrap: Bootstrap, dynamic: Dynamic, revision: number, roles: Roles = rolesOf(dynamic)): Snapshot {
  const router = bindRouter(compileRoutes(dynamic.routes, dynamic.sticky), roles)
  return Object.freeze({ revision, hash: hashOf(dynamic), bootstrap, dynamic, roles, router })
}

/** The candidate's name is the salt, so that the same users move each time that a version is on trial again. No plan runs, so no weight. */
function rolesOf(dynamic: Dynamic): Roles {
  const { stable, candidate } = dynamic
  return { stable, candidate, salt: candidate ?? stable, weight: 0 }
}

/** SHA-256 of the settings, in hex: two texts that mean the same have the same. */
export function hashOf(dynamic: Dynamic): string {
  return createHash('sha256').update(canonicalJson(dynamic)).digest('hex')
}

/** JSON with the keys of every mapping in order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
