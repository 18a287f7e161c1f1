/** Who the client is when trusted proxies stand before baton: the last address that none of them vouches for. */
import { isIP } from 'node:net'
import type { AddressSet } from '../routing/address.ts'
import type { Raw } from '../routing/route.ts'
import { field, joinedValue } from './field.ts'

/** `peer` is one of the trusted hops. Reads X-Forwarded-For from its right end; what is no address ends the walk. */
export function clientOf(raw: Raw, peer: string, trustedHops: AddressSet): string {
  const said = joinedValue(raw, field.forwardedFor)
  if (said === null) return peer
  let client = peer
  for (const entry of said.split(',').reverse()) {
    const address = addressOf(entry.trim())
    if (address === null) break
    client = address
    if (!trustedHops.has(address)) break
  }
  return client
}

function addressOf(entry: string): string | null {
  if (isIP(entry) !== 0) return entry
  const address = withoutPort(entry)
  return isIP(address) === 0 ? null : address
}

/** `[2001:db8::9]:80` and `203.0.113.9:80`, as some proxies write them. */
function withoutPort(entry: string): string {
  return entry.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
}
