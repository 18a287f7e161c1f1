/** Keys that are designed but not in this build: refused with these words rather than as misspelt, and never silently ignored. */
import type { Path } from './complaint.ts'

/** Path of the mapping (`*` is any one part) → its keys → what they would do. */
const later: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {
    fleet: 'upgrades over a fleet',
    mirror: 'mirrored requests',
    tracing: 'tracing',
    telemetry: 'tracing',
    tls: 'TLS',
  },
  bootstrap: {
    tls: 'TLS',
    secrets: 'secrets',
    workers: 'worker processes',
    tracing: 'tracing',
    slots: 'slots',
    fleet: 'upgrades over a fleet',
  },
  'bootstrap.listeners': { tls: 'TLS', https: 'TLS' },
  'bootstrap.listeners.*': { tls: 'TLS', http2: 'HTTP/2', protocol: 'HTTP/2', protocols: 'HTTP/2', proxyProtocol: 'the PROXY protocol' },
  'versions.*': {
    slot: 'slots',
    tls: 'TLS',
    http2: 'HTTP/2',
    protocol: 'HTTP/2 and gRPC',
    grpc: 'HTTP/2 and gRPC',
  },
  'versions.*.health': { grpc: 'HTTP/2 and gRPC' },
  health: { grpc: 'HTTP/2 and gRPC' },
  'routes.*': { mirror: 'mirrored requests', rewrite: 'rewriting', hold: 'holding requests' },
  'routes.*.only': { signed: 'signed links' },
}

/** What an unknown `key` of the mapping at `path` would do in a later build; null if baton has no plan for it. */
export function laterKey(path: Path, key: string): string | null {
  for (const [pattern, keys] of Object.entries(later)) {
    if (matches(pattern, path) && Object.hasOwn(keys, key)) return keys[key] ?? null
  }
  return null
}

function matches(pattern: string, path: Path): boolean {
  const parts = pattern === '' ? [] : pattern.split('.')
  return parts.length === path.length && parts.every((part, index) => part === '*' || part === path[index])
}
