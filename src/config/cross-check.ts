/** Rules over several keys. Each part that could be read is checked, even while others have faults. */
import type { RouteSpec } from '../routing/route.ts'
import { type Complaint, complain, type Path } from './complaint.ts'
import type { Draft } from './draft.ts'
import { quoted } from './misread.ts'
import { nearest } from './nearest.ts'
import { portComplaints } from './port-check.ts'
import { upstreamComplaints } from './upstream-check.ts'

export const roleNames = ['stable', 'candidate'] as const

export function crossCheck(draft: Draft): Complaint[] {
  return [
    ...versionNames(draft),
    ...roles(draft),
    ...healthTimes(draft),
    ...draft.routes.flatMap((route, index) => (route ? routeTargets(route, index, draft) : [])),
    ...routeNames(draft.routes),
    ...processes(draft),
    ...portComplaints(draft),
    ...upstreamComplaints(draft),
  ]
}

function versionNames(draft: Draft): Complaint[] {
  return roleNames
    .filter((role) => draft.versions.has(role))
    .map((role) => complain(['versions', role], quoted(role), 'another name', `${role} is the name of a role`, 'key'))
}

function roles(draft: Draft): Complaint[] {
  return roleNames.flatMap((role) => {
    const name = draft[role]
    return name === null || draft.versions.has(name) ? [] : [unknownName([role], name, 'a version', [...draft.versions.keys()])]
  })
}

function unknownName(path: Path, name: string, what: string, known: readonly string[], at: Complaint['at'] = 'value'): Complaint {
  const near = nearest(name, known)
  const hint = near !== null ? `did you mean ${near}?` : known.length > 0 ? `there is ${known.slice(0, 20).join(', ')}` : 'there is none'
  return complain(path, quoted(name), `the name of ${what}`, hint, at)
}

function healthTimes(draft: Draft): Complaint[] {
  for (const [name, version] of draft.versions) {
    if (version && version.health.fastIntervalMs > version.health.intervalMs) {
      const found = `fastInterval ${version.health.fastIntervalMs}ms over interval ${version.health.intervalMs}ms`
      return [complain(['versions', name, 'health'], found, 'a fastInterval of at most the interval', 'set both, in health or here')]
    }
  }
  return []
}

function routeTargets(route: RouteSpec, index: number, draft: Draft): Complaint[] {
  const known = [...draft.versions.keys(), ...roleNames]
  const path: Path = ['routes', index]
  const wrong = (place: Path, name: string, at?: Complaint['at']) =>
    known.includes(name) ? [] : [unknownName([...path, ...place], name, 'a version, or stable or candidate', known, at)]
  const targets =
    'to' in route.action
      ? wrong(['to'], route.action.to)
      : Object.keys(route.action.split).flatMap((key) => wrong(['split', key], key, 'key'))
  if (route.fallback === null) return targets
  const useless = 'to' in route.action && route.action.to === route.fallback
  const fallback = useless
    ? [complain([...path, 'fallback'], quoted(route.fallback), 'another target than to')]
    : wrong(['fallback'], route.fallback)
  return [...targets, ...fallback]
}

function routeNames(routes: Draft['routes']): Complaint[] {
  const first = new Map<string, number>()
  return routes.flatMap((route, index) => {
    if (!route) return []
    const before = first.get(route.name)
    if (before === undefined) first.set(route.name, index)
    return before === undefined
      ? []
      : [complain(['routes', index, 'name'], quoted(route.name), 'a name of its own', `routes[${before}] has it`)]
  })
}

/** One process is one version: a drain or an end of one would hit the other as well. */
function processes(draft: Draft): Complaint[] {
  const { bootstrap } = draft
  const user = new Map<string, string>()
  return [...draft.versions].flatMap(([name, version]) => {
    if (version?.endpoint.is !== 'process') return []
    const { process } = version.endpoint
    const path: Path = ['versions', name, 'process']
    const before = user.get(process)
    user.set(process, before ?? name)
    const unknown = bootstrap && !Object.hasOwn(bootstrap.processes, process)
    if (unknown) return [unknownName(path, process, 'a process of bootstrap.processes', Object.keys(bootstrap.processes))]
    return before === undefined ? [] : [complain(path, quoted(process), 'a process of its own', `versions.${before} has it`)]
  })
}
