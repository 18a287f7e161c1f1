/** Rules over several keys. Each part that could be read is checked, even while others have faults. */
import type { RouteSpec } from '../routing/route.ts'
import { cacheComplaints, gatewayNames } from './cache-check.ts'
import { type Complaint, complain, type Path } from './complaint.ts'
import type { Draft } from './draft.ts'
import { quoted } from './misread.ts'
import { nearest } from './nearest.ts'
import { type Plans, planComplaints } from './plan-check.ts'
import { portComplaints } from './port-check.ts'
import { formatDuration } from './quantity.ts'
import type { Limits } from './settings.ts'
import { retirementComplaints, upstreamComplaints } from './upstream-check.ts'

/** No version may have these names. */
const roleNames = ['stable', 'candidate'] as const

type Versions = NonNullable<Draft['versions']>

export function crossCheck(draft: Draft): Complaint[] {
  const { bootstrap, versions } = draft
  return [
    ...routeNames(draft.routes),
    ...(versions ? ofVersions(versions, draft) : []),
    ...(draft.plans ? [...planComplaints(draft.plans), ...planName(draft.plans, draft.plan)] : []),
    ...(bootstrap
      ? [...portComplaints(bootstrap), ...retirementNames(bootstrap), ...retirementComplaints(bootstrap), ...gatewayNames(bootstrap)]
      : []),
    ...cacheComplaints(draft),
    ...(bootstrap && versions
      ? [...processes(versions, bootstrap), ...retired(versions, bootstrap), ...upstreamComplaints(versions, bootstrap)]
      : []),
  ]
}

function ofVersions(versions: Versions, draft: Draft): Complaint[] {
  return [
    ...versionNames(versions),
    ...roles(versions, draft),
    ...healthTimes(versions),
    ...draft.routes.flatMap((route, index) => (route ? routeTargets(route, index, versions) : [])),
  ]
}

function versionNames(versions: Versions): Complaint[] {
  return roleNames
    .filter((role) => versions.has(role))
    .map((role) => complain(['versions', role], quoted(role), 'another name', `${role} is the name of a role`, 'key'))
}

function roles(versions: Versions, draft: Draft): Complaint[] {
  return roleNames.flatMap((role) => {
    const name = draft[role]
    return name === null || versions.has(name) ? [] : [unknownName([role], name, 'a version', [...versions.keys()])]
  })
}

function planName(plans: Plans, plan: string | null): Complaint[] {
  return plan === null || plans.has(plan) ? [] : [unknownName(['rollout', 'plan'], plan, 'a plan', [...plans.keys()])]
}

function unknownName(path: Path, name: string, what: string, known: readonly string[], at: Complaint['at'] = 'value'): Complaint {
  const near = nearest(name, known)
  const hint = near !== null ? `did you mean ${near}?` : known.length > 0 ? `there is ${known.slice(0, 20).join(', ')}` : 'there is none'
  return complain(path, quoted(name), `the name of ${what}`, hint, at)
}

function healthTimes(versions: Versions): Complaint[] {
  return [...versions].flatMap(([name, version]) => {
    if (!version || version.health.fastIntervalMs <= version.health.intervalMs) return []
    const { fastIntervalMs, intervalMs } = version.health
    const found = `fastInterval ${formatDuration(fastIntervalMs)} and interval ${formatDuration(intervalMs)}`
    return [complain(['versions', name, 'health'], found, 'a fastInterval of at most the interval', 'set both, here or in health')]
  })
}

function routeTargets(route: RouteSpec, index: number, versions: Versions): Complaint[] {
  const known = [...versions.keys(), ...roleNames]
  const path: Path = ['routes', index]
  const wrong = (place: Path, name: string, at?: Complaint['at']) =>
    known.includes(name) ? [] : [unknownName([...path, ...place], name, 'a version, or stable or candidate', known, at)]
  const { action, fallback } = route
  const targets = 'to' in action ? wrong(['to'], action.to) : Object.keys(action.split).flatMap((key) => wrong(['split', key], key, 'key'))
  if (fallback === null) return targets
  const useless = 'to' in action && action.to === fallback
  return [
    ...targets,
    ...(useless ? [complain([...path, 'fallback'], quoted(fallback), 'another target than to')] : wrong(['fallback'], fallback)),
  ]
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
function processes(versions: Versions, bootstrap: Limits): Complaint[] {
  const user = new Map<string, string>()
  return [...versions].flatMap(([name, version]) => {
    if (version?.endpoint.is !== 'process') return []
    const { process } = version.endpoint
    const path: Path = ['versions', name, 'process']
    const before = user.get(process)
    user.set(process, before ?? name)
    if (!Object.hasOwn(bootstrap.processes, process))
      return [unknownName(path, process, 'a process of bootstrap.processes', Object.keys(bootstrap.processes))]
    return before === undefined ? [] : [complain(path, quoted(process), 'a process of its own', `versions.${before} has it`)]
  })
}

function retirementNames({ retirements }: Limits): Complaint[] {
  if (!Object.hasOwn(retirements, 'none')) return []
  return [complain(['bootstrap', 'retirements', 'none'], quoted('none'), 'another name', 'retire: none is no retirement', 'key')]
}

function retired(versions: Versions, { retirements }: Limits): Complaint[] {
  const known = Object.keys(retirements)
  return [...versions].flatMap(([name, version]) => {
    const retire = version?.retire ?? null
    if (retire === null || known.includes(retire)) return []
    return [unknownName(['versions', name, 'retire'], retire, 'one of bootstrap.retirements, or none', known)]
  })
}
