/** `/v1/status`: the whole state of this baton as JSON. */
import type { ConfigStatus } from '../config/live.ts'
import { showAddress } from '../config/show-address.ts'
import { formatConfigFault } from '../errors.ts'
import type { Roles } from '../routing/route.ts'
import type { SupervisedVersion } from '../upstream/supervised-version.ts'
import type { Endpoint } from '../upstream/transport/transport.ts'

export interface StatusParts {
  readonly build: string
  readonly pid: number
  readonly keeper: { readonly keeperPid: number; readonly lost: boolean }
  /** ms since the epoch */
  readonly startedAt: number
  readonly whyNotReady: string | null
  readonly leaving: boolean
  readonly config: ConfigStatus
  readonly roles: Roles
  readonly versions: readonly SupervisedVersion[]
  /** Configured, but nothing can send them a request: their process does not run. */
  readonly idle: readonly string[]
  readonly connections: number
  readonly queued: number
  /** Requests wait by an order, or for an exclusive upgrade. */
  readonly held: boolean
  readonly listeners: readonly string[]
  /** The one under way, or the last one; null if there was none. */
  readonly upgrade?: object | null
  /** The last verdict of the upgrade's analysis. */
  readonly analysis?: object | null
  /** Null where there is no Redis. */
  readonly cache?: object | null
}

export function statusOf(parts: StatusParts): unknown {
  const { config, keeper, roles } = parts
  return {
    baton: {
      version: parts.build,
      pid: parts.pid,
      keeperPid: keeper.keeperPid,
      keeperLost: keeper.lost,
      startedAt: iso(parts.startedAt),
      ready: parts.whyNotReady === null,
      whyNotReady: parts.whyNotReady,
      leaving: parts.leaving,
      connections: parts.connections,
      queued: parts.queued,
      held: parts.held,
    },
    config: {
      ...config,
      appliedAt: iso(config.appliedAt),
      stale: config.stale === null ? null : { ...config.stale, since: iso(config.stale.since) },
      lastFault: config.lastFault === null ? null : faultsOf(config.lastFault),
    },
    roles: { stable: roles.stable, candidate: roles.candidate },
    versions: parts.versions.map(versionOf),
    idle: parts.idle,
    listeners: parts.listeners,
    upgrade: parts.upgrade ?? null,
    analysis: parts.analysis ?? null,
    cache: parts.cache ?? null,
  }
}

function versionOf({ version, process }: SupervisedVersion): unknown {
  return {
    name: version.name,
    endpoint: version.endpoint === null ? 'none yet' : placeOf(version.endpoint),
    serving: version.serving,
    probe: version.probe,
    order: version.order,
    inFlight: version.inFlight.length,
    connections: version.transport?.connections ?? 0,
    process: process === null ? null : { pid: process.pid, restarts: process.restarts },
  }
}

function faultsOf({ at, origin, faults }: NonNullable<ConfigStatus['lastFault']>): unknown {
  return { at: iso(at), origin, faults: faults.map(formatConfigFault) }
}

function placeOf(endpoint: Endpoint): string {
  return showAddress(endpoint.is === 'tcp' ? { ...endpoint, host: endpoint.address } : endpoint)
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
