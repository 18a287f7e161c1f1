/** What connections to the apps are opened with: of all versions alike, and the same for every protocol. */
import type { Dynamic } from '../../config/settings.ts'

export interface TransportSettings {
  readonly connectMs: number
  /** An idle connection is closed after this; must be below the app's own limit. */
  readonly keepAliveMs: number
  readonly connections: number
  readonly maxHeaderBytes: number
}

export function transportSettings({ timeouts, limits }: Dynamic): TransportSettings {
  return {
    connectMs: timeouts.connectMs,
    keepAliveMs: timeouts.upstreamKeepAliveMs,
    connections: limits.upstreamConnections,
    maxHeaderBytes: limits.headerBytes,
  }
}
