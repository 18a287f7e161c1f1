/**
 * What baton may connect to: `bootstrap.allowUpstreams`. The configuration is asked before a name is looked up, and the address again after
 * each look-up, so that a name cannot lead elsewhere. Link-local addresses never are: clouds keep their credentials there.
 */
import { isIP } from 'node:net'
import { addressSet, cidrFault } from '../routing/address.ts'
import { isLinkLocal, isLoopback } from './ip-class.ts'

/** Before any look-up: what a name will lead to is not known then, so it is allowed by name only. */
export function mayReach(host: string, allowUpstreams: readonly string[]): boolean {
  const known = isIP(host) !== 0 ? [host] : host === 'localhost' ? ['127.0.0.1', '::1'] : []
  return known.length === 0 ? isListed(host, allowUpstreams) : known.some((address) => mayReachAt(address, host, allowUpstreams))
}

/** One of the host's addresses. A host that is listed by name may be anywhere but link-local. */
export function mayReachAt(address: string, host: string, allowUpstreams: readonly string[]): boolean {
  if (isLinkLocal(address)) return false
  if (isListed(host, allowUpstreams)) return true
  if (isLoopback(address) && allowUpstreams.includes('loopback')) return true
  return addressSet(allowUpstreams.filter((entry) => cidrFault(entry) === null)).has(address)
}

/** A machine may be called `unix` as well; the words of the list are not its name. */
function isListed(host: string, allowUpstreams: readonly string[]): boolean {
  return host !== 'loopback' && host !== 'unix' && allowUpstreams.includes(host)
}
