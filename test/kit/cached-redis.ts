/** A cache as baton composes it, over a real Redis: a tracker, the views v1 and v2, and a gateway for each, in this process. */
import { CommandTable } from '../../src/cache/gateway/command-table.ts'
import { Gateway } from '../../src/cache/gateway/gateway.ts'
import { openRedis } from '../../src/cache/gateway/open-redis.ts'
import { Reads } from '../../src/cache/gateway/reads.ts'
import type { Access } from '../../src/cache/redis/access.ts'
import { openPair } from '../../src/cache/redis/pair.ts'
import type { OpenSession } from '../../src/cache/session.ts'
import { Tracker, type TrackerParts, type TrackerSettings } from '../../src/cache/tracker.ts'
import { type Budget, View } from '../../src/cache/view.ts'
import { createLog, type Log } from '../../src/telemetry/log.ts'
import { realWorld } from '../../src/world.ts'
import { freePorts } from './free-ports.ts'
import { until } from './until.ts'

export const versions = ['v1', 'v2'] as const
export type VersionName = (typeof versions)[number]

/** What a test puts in the place of a part. */
export interface Builders {
  tracker(parts: TrackerParts): Tracker
  view(version: string, budget: Budget): View
  open(open: OpenSession): OpenSession
  commands(table: CommandTable, tracker: Tracker): CommandTable
}

export interface CachedRedisOptions {
  /** The Redis, or a proxy in front of it, for baton's own connections … */
  readonly sourcePort: number
  /** … and for those of the clients, if it is another one. */
  readonly clientPort?: number
  readonly by?: 'broadcast' | 'keys'
  readonly prefixes?: readonly string[]
  readonly database?: number
  readonly user?: string
  readonly password?: string
  readonly settings?: Partial<TrackerSettings>
  readonly budget?: Budget
  readonly causal?: boolean
  readonly build?: Partial<Builders>
  readonly log?: Log
  /** Resolves before anything is tracked. */
  readonly cold?: boolean
}

export interface CachedRedis extends AsyncDisposable {
  readonly tracker: Tracker
  readonly views: Readonly<Record<VersionName, View>>
  readonly gateways: Readonly<Record<VersionName, Gateway>>
  readonly reads: Readonly<Record<VersionName, Reads>>
  readonly ports: Readonly<Record<VersionName, number>>
  /** Why it was lost, each time. */
  readonly losses: readonly string[]
}

const defaults: TrackerSettings = {
  maxValueBytes: 65_536,
  maxFields: 100,
  stalenessMs: 1_000,
  maxAgeMs: 300_000,
  absentMaxAgeMs: 30_000,
  refreshEveryMs: 100,
  refreshPerSecond: 2_000,
}

/** Resolves when it is live. */
export async function startCachedRedis(options: CachedRedisOptions): Promise<CachedRedis> {
  const { sourcePort, clientPort = sourcePort, by = 'broadcast', prefixes = [''], database = 0, build = {} } = options
  const budget = options.budget ?? { bytes: 64_000_000, absentBytes: 1_000_000 }
  const settings = { ...defaults, ...options.settings }
  const log = options.log ?? createLog(realWorld, 'error', [])
  const accessTo = (port: number): Access => ({
    address: { is: 'tcp', host: '127.0.0.1', port },
    database,
    user: options.user ?? null,
    password: options.password ?? null,
    tls: null,
  })
  const newView = (version: VersionName) => build.view?.(version, budget) ?? new View(version, budget)
  const views = { v1: newView('v1'), v2: newView('v2') }
  const losses: string[] = []
  let table: CommandTable | null = null
  const open: OpenSession = (hooks, signal) => openPair(accessTo(sourcePort), { by, prefixes }, hooks, signal)
  const parts: TrackerParts = {
    world: realWorld,
    log,
    views: [views.v1, views.v2],
    settings,
    open: build.open?.(open) ?? open,
    onLive() {
      const found = CommandTable.of(tracker.session?.server.commands ?? null)
      table = build.commands?.(found, tracker) ?? found
    },
    onLost: (reason) => losses.push(reason),
  }
  const tracker: Tracker = build.tracker?.(parts) ?? new Tracker(parts)
  const gatewayOf = (version: VersionName) => {
    const { maxValueBytes, maxFields } = settings
    const { causal = false } = options
    const reads = new Reads(views[version], tracker, realWorld, { prefixes, database, maxValueBytes, maxFields, causal }, () => table)
    const gateway = new Gateway({ world: realWorld, version, log, openRedis: () => openRedis(accessTo(clientPort)) })
    gateway.use(reads)
    return { gateway, reads }
  }
  const [one, two] = [gatewayOf('v1'), gatewayOf('v2')]
  const gateways = { v1: one.gateway, v2: two.gateway }
  const reads = { v1: one.reads, v2: two.reads }
  const [first = 0, second = 0] = await freePorts(2)
  const ports = { v1: first, v2: second }
  for (const version of versions) await gateways[version].listen({ host: '127.0.0.1', port: ports[version] })
  tracker.start()
  const cached = {
    tracker,
    views,
    gateways,
    reads,
    ports,
    losses,
    async [Symbol.asyncDispose]() {
      await Promise.all(versions.map((version) => gateways[version].close()))
      tracker.stop()
    },
  }
  if (options.cold !== true) await isLive(cached)
  return cached
}

export async function isLive({ tracker }: Pick<CachedRedis, 'tracker'>): Promise<void> {
  await until(
    () => tracker.live && tracker.fresh(performance.now()),
    () => `not live: ${tracker.whyNot}`,
  )
}
