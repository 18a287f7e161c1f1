/** A request head for tests of what is made of it. */
import type { Head } from '../../src/proxy/inbound/inbound.ts'

export function headOf(given: Partial<Head> = {}): Head {
  return {
    method: 'GET',
    target: '/',
    host: 'example.com',
    authority: 'example.com',
    raw: ['Host', 'example.com'],
    client: '192.0.2.7',
    http: 11,
    body: 'none',
    upgrade: null,
    expectContinue: false,
    listed: null,
    peer: { address: '192.0.2.7', trusted: false },
    ...given,
  }
}
