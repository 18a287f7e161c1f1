/** What a running baton says of itself, in the words that tests ask for. */
import type { Receipt } from '../../src/rollout/receipt.ts'
import type { Baton } from './baton.ts'
import { until } from './until.ts'

export interface VersionStatus {
  readonly name: string
  readonly endpoint: string
  readonly serving: boolean
  readonly probe: { readonly is: 'starting' | 'ready' | 'not-ready'; readonly since: number; readonly reason?: string }
  readonly order: { readonly is: string }
  readonly inFlight: number
  readonly connections: number
  readonly process: { readonly pid: number | null; readonly restarts: number } | null
}

export interface Status {
  readonly baton: {
    readonly pid: number
    readonly keeperPid: number
    readonly keeperLost: boolean
    readonly ready: boolean
    readonly whyNotReady: string | null
    readonly leaving: boolean
    readonly connections: number
    readonly queued: number
  }
  readonly config: {
    readonly revision: number
    readonly hash: string
    readonly stale: unknown
    readonly lastFault: { readonly at: string; readonly origin: string; readonly faults: readonly string[] } | null
  }
  readonly roles: { readonly stable: string; readonly candidate: string | null }
  readonly versions: readonly VersionStatus[]
  readonly idle: readonly string[]
}

export async function statusOf(baton: Baton): Promise<Status> {
  return JSON.parse((await baton.admin('GET', '/v1/status')).body) as Status
}

/** Another generation than this one answers. That none does is no sign of the next: the dead one does not either. */
export async function isFollowed(baton: Baton, dead: number): Promise<boolean> {
  const status = await statusOf(baton).catch(() => null)
  return status !== null && status.baton.pid !== dead
}

/** @throws where the version is not there. */
export async function versionOf(baton: Baton, name: string): Promise<VersionStatus> {
  const status = await statusOf(baton)
  const found = status.versions.find((version) => version.name === name)
  if (found === undefined) throw new Error(`no version ${name} in ${JSON.stringify(status.versions)}`)
  return found
}

/** Waits until each of these versions is ready, starting or not-ready, as asked. */
export async function untilProbe(baton: Baton, is: VersionStatus['probe']['is'], ...names: readonly string[]): Promise<void> {
  let seen = ''
  await until(
    async () => {
      const { versions } = await statusOf(baton)
      seen = JSON.stringify(versions)
      return names.every((name) => versions.some((version) => version.name === name && version.probe.is === is))
    },
    () => `${names.join(', ')} ${is}; status says ${seen}\n${baton.output()}`,
  )
}

/** Waits until every version that is there serves. */
export async function untilAllServe(baton: Baton): Promise<void> {
  await until(
    async () => (await statusOf(baton)).versions.every(({ serving }) => serving),
    () => baton.output().slice(-3_000),
  )
}

/** It is written right after the upgrade has ended: figures tell it from one made of the journal alone. */
export async function receiptOf(baton: Baton, id: string): Promise<Receipt> {
  let seen: Receipt | null = null
  return until(
    async () => {
      seen = (JSON.parse((await baton.admin('GET', `/v1/history/${id}`)).body) as { receipt: Receipt | null }).receipt
      return seen !== null && seen.cut !== null && seen
    },
    () => `${id} has no receipt: ${JSON.stringify(seen)}`,
  )
}

/** Sum of all series of a metric that have these labels; 0 where there is none. */
export async function metric(baton: Baton, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const { body } = await baton.metrics('/metrics')
  const series = body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const matching = series.filter((line) => wanted.every((pair) => line.includes(pair)))
  return matching.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** The log's lines of one event, in order; `access` lines too. */
export function logged(baton: Baton, event: string): readonly Readonly<Record<string, unknown>>[] {
  const lines = baton.output().split('\n')
  return lines.flatMap((line) => {
    if (!line.startsWith('{')) return []
    try {
      const record = JSON.parse(line) as Record<string, unknown>
      return record.event === event ? [record] : []
    } catch {
      return [] // the last line, not whole yet
    }
  })
}
