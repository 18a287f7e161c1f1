/** Where versions may point: within `allowUpstreams`, never at a link-local address, never at baton itself. */
import { mayReach } from './allowed-upstreams.ts'
import { type Complaint, complain, type Path } from './complaint.ts'
import type { Draft } from './draft.ts'
import { isLinkLocal } from './ip-class.ts'
import { boundBy } from './port-check.ts'
import { type Reached, reaches } from './reaches.ts'
import type { Limits } from './settings.ts'

export function upstreamComplaints(versions: NonNullable<Draft['versions']>, bootstrap: Limits): Complaint[] {
  return [...versions].flatMap(([name, version]) => {
    if (!version || version.endpoint.is === 'process') return []
    const key = version.endpoint.is === 'tcp' ? 'url' : 'socket'
    return endpointComplaints(['versions', name, key], version.endpoint, bootstrap)
  })
}

/** A request that retires an app goes where the app may be, and nowhere else. */
export function retirementComplaints(bootstrap: Limits): Complaint[] {
  return Object.entries(bootstrap.retirements).flatMap(([name, retirement]) => {
    if (retirement.is !== 'http') return []
    const { host, port } = retirement.url
    return endpointComplaints(['bootstrap', 'retirements', name, 'http', 'url'], { is: 'tcp', host, port }, bootstrap)
  })
}

function endpointComplaints(path: Path, endpoint: Reached, bootstrap: Limits): Complaint[] {
  const found = endpoint.is === 'unix' ? endpoint.path : endpoint.host
  if (endpoint.is === 'tcp' && isLinkLocal(endpoint.host))
    return [complain(path, found, 'no link-local address', 'link-local addresses are never allowed')]
  const self = boundBy(bootstrap).find((bound) => reaches(endpoint, bound.address))
  if (self) return [complain(path, 'an address of baton itself', "the app's address", `this is ${self.name}`)]
  if (isAllowed(endpoint, bootstrap.allowUpstreams)) return []
  const entry = endpoint.is === 'unix' ? 'unix' : endpoint.host
  const hint = isAllowed(endpoint, [entry])
    ? `add ${entry} to bootstrap.allowUpstreams`
    : 'write its address; in that list the word is no name'
  return [complain(path, found, 'an upstream of bootstrap.allowUpstreams', hint)]
}

function isAllowed(endpoint: Reached, allowUpstreams: readonly string[]): boolean {
  return endpoint.is === 'unix' ? allowUpstreams.includes('unix') : mayReach(endpoint.host, allowUpstreams)
}
