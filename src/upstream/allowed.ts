/** Which addresses baton may connect to: `bootstrap.allowUpstreams`, checked again after each look-up, so that a name cannot lead elsewhere. */
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { type AddressSet, addressSet, cidrFault } from '../routing/address.ts'

const loopback: readonly string[] = ['127.0.0.0/8', '::1/128']
/** Cloud metadata services live here: never an upstream, whatever is configured (RFC 3927, RFC 4291 section 2.5.6). */
const linkLocal: AddressSet = addressSet(['169.254.0.0/16', 'fe80::/10'])

/** For the addresses of one host: a host that is listed by name may be anywhere but link-local. */
export function allowedAddresses(host: string, allowUpstreams: readonly string[]): (address: string) => boolean {
  const listedByName = allowUpstreams.includes(host)
  const blocks = allowUpstreams.flatMap((entry) => {
    if (entry === 'loopback') return loopback
    return cidrFault(entry) === null ? [entry] : []
  })
  const set = addressSet(blocks)
  return (address) => !linkLocal.has(address) && (listedByName || set.has(address))
}

/** Looks a name up for a connection, and gives only the addresses that are allowed. An address that needs no look-up does not come here. */
export function allowedLookup(allowUpstreams: readonly string[]): LookupFunction {
  return (host, options, callback) => {
    const isAllowed = allowedAddresses(host, allowUpstreams)
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, [])
      const usable = found.filter(({ address }) => isAllowed(address))
      const [first] = usable
      if (first === undefined) return callback(new Error(`${host} leads where bootstrap.allowUpstreams does not allow`), [])
      if (options.all === true) callback(null, usable)
      else callback(null, first.address, first.family)
    })
  }
}
