/** Where versions may point: within `allowUpstreams`, never at a link-local address, never at baton itself. */
import { isIP } from 'node:net'
import { addressSet } from '../routing/address.ts'
import { mayReach } from './allowed-upstreams.ts'
import { type Complaint, complain, type Path } from './complaint.ts'
import type { Draft } from './draft.ts'
import { isAnyAddress, isLinkLocal, isLoopback } from './ip-class.ts'
import { boundBy } from './port-check.ts'
import type { BindAddress, EndpointSettings, Limits } from './settings.ts'

type Reached = Exclude<EndpointSettings, { is: 'process' }>

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

/** Whether a connection to the endpoint comes back to what is bound. A listener on every address is reached by any local one. */
function reaches(endpoint: Reached, bound: BindAddress): boolean {
  if (endpoint.is === 'unix' || bound.is === 'unix') return endpoint.is === 'unix' && bound.is === 'unix' && endpoint.path === bound.path
  if (endpoint.port !== bound.port) return false
  const local = endpoint.host === 'localhost' || isLoopback(endpoint.host) || isAnyAddress(endpoint.host)
  return (
    isSame(endpoint.host, bound.host) || (local && (isAnyAddress(bound.host) || (endpoint.host === 'localhost' && isLoopback(bound.host))))
  )
}

/** An IPv4 address may be written as an IPv6 one: ::ffff:127.0.0.1. */
function isSame(host: string, bound: string): boolean {
  return host === bound || (isIP(bound) !== 0 && addressSet([bound]).has(host))
}
