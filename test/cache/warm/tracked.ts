/** A real Redis with a tracker and the views of two versions, as a warm-up finds them. */
import { openPair } from '../../../src/cache/redis/pair.ts'
import type { Words } from '../../../src/cache/session.ts'
import { Tracker } from '../../../src/cache/tracker.ts'
import { View } from '../../../src/cache/view.ts'
import type { WarmSettings } from '../../../src/cache/warm/settings.ts'
import { realWorld } from '../../../src/world.ts'
import { type Redis, type RedisOptions, startRedis } from '../../kit/redis.ts'
import { until } from '../../kit/turns.ts'

export const silent = { debug() {}, info() {}, warn() {}, error() {} }

export const settings: WarmSettings = {
  from: [],
  batch: 64,
  perSecond: 100_000,
  deadlineMs: 20_000,
  target: { keys: 100_000, bytes: null, predicted: null },
  require: null,
  rename: [],
}

export interface Tracked extends AsyncDisposable {
  readonly redis: Redis
  readonly tracker: Tracker
  readonly v1: View
  readonly v2: View
  /** Beside the tracked connections. @throws where Redis answers with an error */
  ask(...commands: readonly Words[]): Promise<void>
  /** Reads them into the view, as if clients had; the last is the one used last. */
  hold(view: View, names: readonly string[]): Promise<void>
}

export interface TrackedOptions extends RedisOptions {
  readonly bytes?: number
  readonly user?: { readonly name: string; readonly password: string }
  readonly onLost?: () => void
  readonly onLive?: () => void
}

/** Keys under `k:` are cached. Resolves when it tracks. */
export async function startTracked(options: TrackedOptions = {}): Promise<Tracked> {
  const redis = await startRedis(options)
  const budget = { bytes: options.bytes ?? 64_000_000, absentBytes: 1_000_000 }
  const [v1, v2] = [new View('v1', budget), new View('v2', budget)]
  const access = {
    address: { is: 'tcp' as const, host: '127.0.0.1', port: redis.port },
    database: 0,
    user: options.user?.name ?? null,
    password: options.user?.password ?? null,
    tls: null,
  }
  const tracker = new Tracker({
    world: realWorld,
    log: silent,
    views: [v1, v2],
    open: (hooks, signal) => openPair(access, { by: 'broadcast', prefixes: ['k:'] }, hooks, signal),
    settings: {
      maxValueBytes: 65_536,
      maxFields: 100,
      stalenessMs: 1_000,
      maxAgeMs: 300_000,
      absentMaxAgeMs: 30_000,
      refreshEveryMs: 20,
      refreshPerSecond: 2_000,
    },
    onLive: options.onLive ?? (() => {}),
    onLost: options.onLost ?? (() => {}),
  })
  const tracked: Tracked = {
    redis,
    tracker,
    v1,
    v2,
    async ask(...commands) {
      const replies = (await tracker.session?.aside(commands)) ?? [new Error('not tracked')]
      for (const reply of replies) if (reply instanceof Error) throw reply
    },
    async hold(view, names) {
      for (let at = 0; at < names.length; at += 500)
        await Promise.all(names.slice(at, at + 500).map((name) => tracker.filled(name, 'any', view)))
    },
    async [Symbol.asyncDispose]() {
      tracker.stop()
      await redis[Symbol.asyncDispose]()
    },
  }
  tracker.start()
  try {
    await until(
      () => tracker.live,
      () => `it tracks: ${tracker.whyNot}`,
    )
    return tracked
  } catch (error) {
    await tracked[Symbol.asyncDispose]()
    throw error
  }
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at}`)
}

/** `value of NAME` under each. */
export function valuesOf(names: readonly string[]): Words[] {
  const commands: Words[] = []
  for (let at = 0; at < names.length; at += 1_000)
    commands.push(['MSET', ...names.slice(at, at + 1_000).flatMap((name) => [name, `value of ${name}`])])
  return commands
}
