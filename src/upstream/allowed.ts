/** Which addresses baton may connect to: `bootstrap.allowUpstreams`, checked again after each look-up, so that a name cannot lead elsewhere. */
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
