/** A real Redis, its tracker with one view, and a pusher to wherever a test has its app. */
import { Pusher, type PushSettings, type PushSource } from '../../../src/cache/push/pusher.ts'
import { openPair } from '../../../src/cache/redis/pair.ts'
import { Tracker } from '../../../src/cache/tracker.ts'
import { View } from '../../../src/cache/view.ts'
import type { Log } from '../../../src/telemetry/log.ts'
import { realWorld } from '../../../src/world.ts'
import { until } from '../../kit/until.ts'

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

export interface RigOptions {
  readonly redisPort: number
  readonly appPort: number
  readonly stalenessMs?: number
  readonly push?: Partial<PushSettings>
  /** Stands between the tracker and the pusher. */
  readonly through?: (tracker: Tracker) => PushSource
}

export interface Rig extends AsyncDisposable {
  readonly view: View
  readonly tracker: Tracker
  readonly pusher: Pusher
}

/** Keys under `k:` are cached. Resolves when they are tracked. */
export async function startRig({
  redisPort,
  appPort,
  stalenessMs = 1_000,
  push = {},
  through = (tracker) => tracker,
}: RigOptions): Promise<Rig> {
  const view = new View('v1', { bytes: 64_000_000, absentBytes: 8_000_000 })
  const access = { address: { is: 'tcp', host: '127.0.0.1', port: redisPort }, database: 0, user: null, password: null, tls: null } as const
  const tracker = new Tracker({
    world: realWorld,
    log: silent,
    views: [view],
    open: (hooks, signal) => openPair(access, { by: 'broadcast', prefixes: ['k:'] }, hooks, signal),
    settings: {
      maxValueBytes: 1_000_000,
      maxFields: 100,
      stalenessMs,
      maxAgeMs: 300_000,
      absentMaxAgeMs: 300_000,
      refreshEveryMs: 20,
      refreshPerSecond: 5_000,
    },
    onLive: () => {},
    onLost: () => {},
  })
  const pusher = new Pusher({
    world: realWorld,
    log: silent,
    view,
    source: through(tracker),
    app: { address: { is: 'tcp', host: '127.0.0.1', port: appPort }, path: '/baton/cache' },
    covers: (name) => name.startsWith('k:'),
    settings: { leaseMs: 1_000, batchOps: 256, timeoutMs: 1_000, ...push },
  })
  tracker.start()
  await until(
    () => tracker.live,
    () => `not tracked: ${tracker.whyNot}`,
  )
  pusher.start()
  return {
    view,
    tracker,
    pusher,
    async [Symbol.asyncDispose]() {
      await pusher.close()
      tracker.stop()
    },
  }
}
