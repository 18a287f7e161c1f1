/** The status as tables for people. Pure: the answer of `GET /v1/status` in, text out. */
import { age } from './age.ts'
import { hasAll } from './answer.ts'
import { cacheText, isStats } from './cache-text.ts'
import { table } from './table.ts'
import { isUpgrade, upgradeLine } from './upgrade-text.ts'
import { isVerdict, verdictText } from './verdict-text.ts'

/** What is shown of the answer; the API says more. */
export interface Status {
  readonly baton: {
    readonly version: string
    readonly pid: number
    readonly keeperPid: number
    readonly keeperLost: boolean
    readonly startedAt: string
    readonly whyNotReady: string | null
    readonly leaving: boolean
  }
  readonly config: {
    readonly source: string
    readonly revision: number
    readonly appliedAt: string
    readonly stale: { readonly since: string; readonly reason: string } | null
    readonly lastFault: { readonly at: string; readonly origin: string; readonly faults: readonly string[] } | null
    /** Paths whose change waits for a restart. */
    readonly needsGeneration: readonly string[]
  }
  readonly roles: { readonly stable: string; readonly candidate: string | null }
  readonly versions: readonly VersionStatus[]
  /** Configured, and not running: neither stable, nor candidate, nor named by a route. */
  readonly idle: readonly string[]
  /** The one under way, or the last one. */
  readonly upgrade?: unknown
  /** The last verdict on its new version. */
  readonly analysis?: unknown
  /** Of one that has a Redis. */
  readonly cache?: unknown
}

export interface VersionStatus {
  readonly name: string
  readonly endpoint: string
  readonly probe: { readonly is: string; readonly since: number; readonly reason?: string }
  readonly order: { readonly is: string }
  readonly inFlight: number
  readonly connections: number
  readonly process: { readonly pid: number | null; readonly restarts: number } | null
}

/** An answer of this shape; another one comes from another version of baton, or from no baton. */
export function isStatus(answer: unknown): answer is Status {
  return hasAll(answer, ['baton', 'config', 'roles', 'versions', 'idle'])
}

export function statusText(status: Status, now: number): string {
  return `${batonLine(status, now)}${keeperLine(status)}${configLines(status)}${upgradeLines(status, now)}\n${versionTable(status, now)}${analysisLines(status, now)}${cacheLines(status)}`
}

function batonLine({ baton }: Status, now: number): string {
  const state = baton.leaving ? 'leaving' : baton.whyNotReady === null ? 'ready' : `not ready (${baton.whyNotReady})`
  return `baton ${baton.version}  ${state}, pid ${baton.pid}, keeper ${baton.keeperPid}, up ${age(now - Date.parse(baton.startedAt))}\n`
}

function keeperLine({ baton }: Status): string {
  if (!baton.keeperLost) return ''
  return `the keeper is lost: no app can be started; stop with "kill ${baton.pid}" and start again when it suits\n`
}

function configLines({ config }: Status): string {
  const { stale, lastFault, needsGeneration } = config
  const lines = [`config  ${config.source}, revision ${config.revision}, applied ${config.appliedAt}`]
  if (stale !== null) lines.push(`stale   since ${stale.since}: ${stale.reason}`)
  if (needsGeneration.length > 0) lines.push(`waits   for a restart: ${needsGeneration.join(', ')}`)
  if (lastFault !== null) lines.push(...lastFault.faults.map((fault) => `refused ${lastFault.at}, from ${lastFault.origin}: ${fault}`))
  return `${lines.join('\n')}\n`
}

function upgradeLines({ upgrade }: Status, now: number): string {
  return isUpgrade(upgrade) ? `upgrade ${upgradeLine(upgrade, now)}\n` : ''
}

/** While traffic shifts. */
function analysisLines({ upgrade, analysis }: Status, now: number): string {
  if (!isUpgrade(upgrade) || upgrade.phase !== 'shift' || !isVerdict(analysis)) return ''
  return `\n${verdictText(analysis, upgrade, now)}`
}

function cacheLines({ cache }: Status): string {
  return isStats(cache) ? `\ncache   ${cacheText(cache)}` : ''
}

function versionTable({ versions, roles, idle }: Status, now: number): string {
  const head = ['VERSION', 'ROLE', 'PROBE', 'ORDER', 'IN FLIGHT', 'CONNECTIONS', 'PID', 'RESTARTS', 'ENDPOINT']
  const rows = versions.map((version) => [
    version.name,
    roleOf(version.name, roles),
    probeOf(version, now),
    version.order.is,
    String(version.inFlight),
    String(version.connections),
    String(version.process?.pid ?? '-'),
    String(version.process?.restarts ?? '-'),
    version.endpoint,
  ])
  return table(head, [...rows, ...idle.map((name) => [name, roleOf(name, roles), 'idle'])])
}

function roleOf(name: string, roles: Status['roles']): string {
  if (name === roles.stable) return 'stable'
  return name === roles.candidate ? 'candidate' : '-'
}

function probeOf({ probe }: VersionStatus, now: number): string {
  const reason = probe.reason === undefined ? '' : ` (${probe.reason})`
  return `${probe.is} ${age(now - probe.since)}${reason}`
}
