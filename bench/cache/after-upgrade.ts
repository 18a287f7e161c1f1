/**
 * A real upgrade of a small app whose Redis is a millisecond away: what v2's first requests meet when its cache was warmed before, and
 * when it was not. v1 has read every key by then, as a version that has served for long.
 */
import http from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mulberry32, zipf } from '../../test/cache/warm/zipf.ts'
import { nodePath, runBaton } from '../../test/kit/baton.ts'
import { untilProbe } from '../../test/kit/observed.ts'
import { startRedis } from '../../test/kit/redis.ts'
import { until } from '../../test/kit/until.ts'
import { ask, type Exchange } from '../../test/upgrade/kit/exchange.ts'
import { openLoop } from '../../test/upgrade/kit/open-loop.ts'
import { connectClient } from './client.ts'
import { costOf } from './cost.ts'
import { startDelay } from './delay.ts'
import { type Gateways, startGateways } from './gateways.ts'
import type { Scale } from './scale.ts'
import { checkValues, fillRedis, nameOf } from './values.ts'

/** One upgrade. Times are `performance.now()`. */
export interface Watched {
  readonly warmed: boolean
  /** When the first request was due that v2 answered. */
  readonly servesAt: number
  /** When the order was given. */
  readonly orderedAt: number
  /** When the load began. */
  readonly beganAt: number
  readonly exchanges: readonly Exchange[]
  /** Of v2's gateway so far, in the order of time. */
  readonly counts: readonly Counts[]
  readonly heldAtFirst: number
  /** Of a core, 0 to 1, while v2 was looked at: a network takes none. */
  readonly proxyBusy: number
}

export interface Counts {
  readonly at: number
  readonly hits: number
  readonly misses: number
}

export const delayMs = 1
export const itemsPerRequest = 4
export const exponent = 1
const countEveryMs = 250

export async function measureUpgrades(scale: Scale): Promise<readonly Watched[]> {
  const all: Watched[] = []
  for (let round = 0; round < scale.upgrades; round += 1) {
    for (const warmed of [false, true]) {
      console.error(`upgrade ${round + 1} of ${scale.upgrades}, ${warmed ? 'warmed' : 'cold'}`)
      all.push(await watchUpgrade(scale, warmed, round))
    }
  }
  return all
}

async function watchUpgrade(scale: Scale, warmed: boolean, round: number): Promise<Watched> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedis())
  const delay = stack.use(await startDelay(redis.port))
  const direct = stack.use(await connectClient({ host: '127.0.0.1', port: redis.port }))
  await fillRedis(direct, scale.zipfKeys)
  await delay.set(delayMs)
  const gateways = stack.use(await startApps(delay.port, warmed))
  await readAll(gateways, scale.zipfKeys)
  const load = startLoad(gateways.baton.publicPort, scale, round)
  const beganAt = performance.now()
  stack.defer(() => load.stop())
  await sleep(scale.beforeMs)

  const counts: Counts[] = []
  const watch = watchCounts(gateways, counts)
  stack.defer(() => watch.stop())
  const orderedAt = performance.now()
  const { code, stderr } = await runBaton(['upgrade', '--to', 'v2'], {
    cwd: gateways.baton.dir,
    env: { BATON_STATE: join(gateways.baton.dir, '.baton') },
  })
  if (code !== 0) throw new Error(`the upgrade is refused: ${stderr}`)
  const first = await until(
    () => load.exchanges.find(isOfV2) ?? null,
    () => `v2 serves nothing: ${gateways.baton.output().slice(-3_000)}`,
    30_000,
  )
  const { keys } = await gateways.statsOf('v2')
  const watchMs = scale.watchSeconds * 1_000 + countEveryMs
  const { cpuMicros } = await costOf({ proxy: [delay.pid] }, () => sleep(watchMs))
  await watch.stop()
  await load.stop()
  const lost = load.exchanges.filter(({ outcome }) => outcome.is !== 'ok')
  if (lost.length > 0) throw new Error(`of ${load.exchanges.length} requests ${lost.length} failed: ${JSON.stringify(lost[0]?.outcome)}`)
  const proxyBusy = (cpuMicros.proxy ?? 0) / 1_000 / watchMs
  return { warmed, servesAt: first.dueAt, orderedAt, beganAt, exchanges: load.exchanges, counts, heldAtFirst: keys, proxyBusy }
}

async function startApps(redisPort: number, warmed: boolean): Promise<Gateways> {
  const app = join(import.meta.dirname, 'app.ts')
  const gateways = await startGateways({
    redisPort,
    cache: warmed ? {} : { warm: { from: [] } },
    processes: ({ v1, v2 }) => ({
      v1: { command: [nodePath, app], port: 0, env: { VERSION: 'v1', REDIS_PORT: String(v1.port) } },
      v2: { command: [nodePath, app], port: 0, env: { VERSION: 'v2', REDIS_PATH: v2.path } },
    }),
    config: {
      versions: { v1: { process: 'v1' }, v2: { process: 'v2' } },
      health: { http: '/healthz', interval: '1s', fastInterval: '50ms', successThreshold: 1 },
      rollout: { plan: 'bench', plans: { bench: { steps: [{ bake: true, for: '5m' }] } } },
    },
  })
  await untilProbe(gateways.baton, 'ready', 'v1')
  return gateways
}

/** Through v1's gateway: a key is taken in at its second miss. */
async function readAll(gateways: Gateways, count: number): Promise<void> {
  await using client = await connectClient(gateways.places.v1)
  const atOnce = 500
  const held = async () => (await gateways.statsOf('v1')).keys
  for (let times = 0; times < 6 && (await held()) < count; times += 1) {
    for (let from = 0; from < count; from += atOnce) {
      await Promise.all(Array.from({ length: Math.min(atOnce, count - from) }, (_, at) => client.get(nameOf(from + at))))
    }
  }
  if ((await held()) < count * 0.99) throw new Error(`v1 holds ${await held()} of ${count} keys`)
  await checkValues(client, count, 'through v1')
}

interface Load {
  readonly exchanges: readonly Exchange[]
  stop(): Promise<void>
}

function startLoad(port: number, { requestsPerSecond, zipfKeys }: Scale, round: number): Load {
  const agent = new http.Agent({ keepAlive: true })
  const draw = scattered(zipfKeys, round)
  const exchanges: Exchange[] = []
  const underWay = new Set<Promise<unknown>>()
  const loop = openLoop(requestsPerSecond, (n, dueAt) => {
    const items = Array.from({ length: itemsPerRequest }, () => `item=${draw()}`)
    const asked = ask({ port, agent, kind: 'get', id: String(n), path: `/page?${items.join('&')}`, headers: {}, dueAt })
    const settled = asked.then((exchange) => exchanges.push(exchange)).finally(() => underWay.delete(settled))
    underWay.add(settled)
  })
  return {
    exchanges,
    async stop() {
      loop.stop()
      await Promise.all(underWay)
      agent.destroy()
    },
  }
}

/** Which names are hot has nothing to do with their order. */
function scattered(count: number, round: number): () => number {
  const random = mulberry32(round + 17)
  const names = Array.from({ length: count }, (_, n) => ({ n, at: random() })).sort((a, b) => a.at - b.at)
  const draw = zipf(count, exponent, round + 1)
  return () => names[draw()]?.n ?? 0
}

function watchCounts(gateways: Gateways, counts: Counts[]): { stop(): Promise<void> } {
  const state = { stopped: false }
  const watches = (async () => {
    while (!state.stopped) {
      const { hits, misses } = await gateways.statsOf('v2')
      counts.push({ at: performance.now(), hits, misses })
      await sleep(countEveryMs)
    }
  })()
  return {
    async stop() {
      state.stopped = true
      await watches
    },
  }
}

export function isOfV2({ outcome }: Exchange): boolean {
  return outcome.is === 'ok' && outcome.version === 'v2'
}
