/** Who the client is when trusted proxies stand before baton: the last address that none of them vouches for. */
import { isIP } from 'node:net'
import type { AddressSet } from '../routing/address.ts'
import type { Raw } from '../routing/route.ts'
import { field, fieldOf } from './field.ts'

/** `peer` is one of the trusted hops. Reads X-Forwarded-For from its right end; what is no address ends the walk. */
export function clientOf(raw: Raw, peer: string, trustedHops: AddressSet): string {
  let said = ''
  for (let at = 0; at < raw.length; at += 2) {
    if (fieldOf(raw[at] ?? '') === field.forwardedFor) said = said === '' ? (raw[at + 1] ?? '') : `${said},${raw[at + 1]}`
  }
  let client = peer
  for (const entry of said.split(',').reverse()) {
    const address = withoutPort(entry.trim())
    if (isIP(address) === 0) break
    client = address
    if (!trustedHops.has(address)) break
  }
  return client
}

/** `[2001:db8::9]:80` and `203.0.113.9:80`, as some proxies write them. */
function withoutPort(entry: string): string {
  return entry.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
}
