/** Looks a name up for a connection, and gives only the addresses that are allowed. An address that needs no look-up does not come here. */
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { mayReachAt } from '../config/allowed-upstreams.ts'

export function allowedLookup(allowUpstreams: readonly string[]): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, [])
      const usable = found.filter(({ address }) => mayReachAt(address, host, allowUpstreams))
      const [first] = usable
      if (first === undefined) return callback(new Error(`${host} leads where bootstrap.allowUpstreams does not allow`), [])
      if (options.all === true) callback(null, usable)
      else callback(null, first.address, first.family)
    })
  }
}
