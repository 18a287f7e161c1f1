/** Classes of IP addresses, literal ones only: a name has no class before it is resolved. */
import { addressSet } from '../routing/address.ts'

const loopback = addressSet(['127.0.0.0/8', '::1/128'])
const linkLocal = addressSet(['169.254.0.0/16', 'fe80::/10'])
const any = addressSet(['0.0.0.0/32', '::/128'])

export function isLoopback(host: string): boolean {
  return loopback.has(host)
}

/** 169.254.0.0/16 is where clouds keep their credentials. */
export function isLinkLocal(host: string): boolean {
  return linkLocal.has(host)
}

export function isAnyAddress(host: string): boolean {
  return any.has(host)
}
