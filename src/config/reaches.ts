/** Whether an address to connect to is one that baton itself listens on. */
import { isIP } from 'node:net'
import { addressSet } from '../routing/address.ts'
import { isAnyAddress, isLoopback } from './ip-class.ts'
import type { BindAddress, EndpointSettings } from './settings.ts'

export type Reached = Exclude<EndpointSettings, { is: 'process' }>

/** Whether a connection to the endpoint comes back to what is bound. A listener on every address is reached by any local one. */
export function reaches(endpoint: Reached, bound: BindAddress): boolean {
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
