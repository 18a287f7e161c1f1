/** A local hit, a read that is passed, and Redis itself: one at a time with a network between, and as fast as redis-benchmark asks. */
import type { Redis } from 'ioredis'
import { startRedis } from '../../test/kit/redis.ts'
import { median } from '../summary.ts'
import { connectClient, type Place, readOneByOne } from './client.ts'
import { type Cpu, costOf, each, type Pids } from './cost.ts'
import { startDelay } from './delay.ts'
import { type Gateways, startGateways } from './gateways.ts'
import { type Benchmarked, runRedisBenchmark } from './redis-benchmark.ts'
import type { Scale } from './scale.ts'
import { checkValues, fillRedis, nameOf, valueFor } from './values.ts'

export interface HitRow {
  readonly name: string
  readonly delayMs: number
  readonly p50Micros: number
  readonly p99Micros: number
  readonly perSecond: number
  readonly cpuMicros: Cpu
}

export interface PipelineRow extends Benchmarked {
  readonly name: string
  readonly pipelined: number
  readonly cpuMicros: Cpu
}

export interface Hits {
  readonly alone: readonly HitRow[]
  readonly pipelined: readonly PipelineRow[]
}

export const delaysMs: readonly number[] = [0, 0.2, 0.5, 1]
/** Outside the cached prefixes: such a read goes to Redis and comes back. */
const passedName = 'other:1'
const passedValue = valueFor(passedName)

interface Target {
  readonly name: string
  readonly delayMs: number
  readonly client: Redis
  readonly pids: Pids
  /** Whose hits every read has to be; null: nobody's. */
  readonly hitsOf: { readonly gateways: Gateways; readonly version: 'v1' | 'v2' } | null
  next(): string
}

export async function measureHits(scale: Scale): Promise<Hits> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedis())
  const delay = stack.use(await startDelay(redis.port))
  const here: Place = { host: '127.0.0.1', port: redis.port }
  const connect = async (place: Place): Promise<Redis> => stack.use(await connectClient(place))
  const direct = await connect(here)
  await fillRedis(direct, scale.hotKeys)
  await direct.set(passedName, passedValue)
  const names = Array.from({ length: scale.hotKeys }, (_, n) => nameOf(n))
  const from = { warm: { from: ['other-version', 'file'] } }
  const near = stack.use(await startGateways({ redisPort: redis.port, cache: from, names }))
  const far = stack.use(await startGateways({ redisPort: delay.port, cache: from, names }))
  for (const gateways of [near, far]) for (const version of ['v1', 'v2'] as const) await gateways.warm(version)

  const slow = await connect({ host: '127.0.0.1', port: delay.port })
  const clients = { near: await clientsOf(near, connect), far: await clientsOf(far, connect) }
  const unix = await connect({ path: `${redis.folder}/redis.sock` })
  const next = inTurn(names)
  const targets = delaysMs.flatMap((delayMs): readonly Target[] => {
    const [gateways, { tcp, socket }] = delayMs === 0 ? [near, clients.near] : [far, clients.far]
    const proxy: Pids = delayMs === 0 ? {} : { proxy: [delay.pid] }
    const pids: Pids = { redis: [redis.pid], baton: gateways.pids, ...proxy }
    const at = { delayMs, next, pids, hitsOf: null }
    return [
      { ...at, name: 'Redis', client: delayMs === 0 ? direct : slow, pids: { redis: [redis.pid], ...proxy } },
      ...(delayMs === 0 ? [{ ...at, name: 'Redis, Unix socket', client: unix, pids: { redis: [redis.pid] } }] : []),
      { ...at, name: 'gateway, hit', client: tcp, hitsOf: { gateways, version: 'v1' } },
      { ...at, name: 'gateway, hit, Unix socket', client: socket, hitsOf: { gateways, version: 'v2' } },
      { ...at, name: 'gateway, passed', client: tcp, next: () => passedName },
    ]
  })
  for (const { client, name } of targets) await checkValues(client, scale.hotKeys, name)
  await checkOwnWrites(clients.near.tcp, direct)

  // neither client nor gateway, near or far, is at its speed before
  for (const target of targets.filter(({ delayMs }) => delayMs <= 0.2)) await runTurn(target, scale.turnMs)
  const turns: HitRow[] = []
  for (let round = 0; round < scale.rounds; round += 1) {
    for (const target of targets) {
      await delay.set(target.delayMs)
      turns.push(await runTurn(target, scale.turnMs))
    }
  }
  return { alone: mediansOf(turns), pipelined: await runPipelines(scale, redis, near) }
}

async function clientsOf({ places }: Gateways, connect: (place: Place) => Promise<Redis>) {
  return { tcp: await connect(places.v1), socket: await connect(places.v2) }
}

async function runTurn({ name, delayMs, client, pids, next, hitsOf }: Target, turnMs: number): Promise<HitRow> {
  const hits = async (): Promise<number> => (hitsOf === null ? 0 : (await hitsOf.gateways.statsOf(hitsOf.version)).hits)
  const before = await hits()
  const { result: times, cpuMicros } = await costOf(pids, () => readOneByOne(client, next, (_, elapsedMs) => elapsedMs >= turnMs))
  const found = (await hits()) - before
  if (hitsOf !== null && found < times.count) throw new Error(`${name}: of ${times.count} reads ${found} were hits`)
  const { p50Micros, p99Micros, count, seconds } = times
  return { name, delayMs, p50Micros, p99Micros, perSecond: count / seconds, cpuMicros: each(cpuMicros, count) }
}

/** What is written through the gateway is read there, and in Redis. */
async function checkOwnWrites(client: Redis, direct: Redis): Promise<void> {
  for (const value of ['changed', valueFor(nameOf(0))]) {
    await client.set(nameOf(0), value)
    const found = [await client.get(nameOf(0)), await direct.get(nameOf(0))]
    if (found.some((each) => each !== value))
      throw new Error(`wrote ${value.slice(0, 20)}, read ${found.map((each) => each?.slice(0, 20))}`)
  }
  // held again before anything is timed
  for (let times = 0; times < 20; times += 1) await client.get(nameOf(0))
}

async function runPipelines({ rounds, pipelines, hotKeys }: Scale, redis: { port: number; pid: number }, gateways: Gateways) {
  const places = [
    { name: 'Redis', port: redis.port, pids: { redis: [redis.pid] } },
    { name: 'gateway, hit', port: gateways.places.v1.port, pids: { redis: [redis.pid], baton: gateways.pids } },
  ]
  const turns: PipelineRow[] = []
  for (let round = -1; round < rounds; round += 1) {
    // the first one is for the gateway to come to its speed
    if (round === 0) turns.length = 0
    for (const [pipelined, requests] of pipelines) {
      for (const { name, port, pids } of places) {
        const { result, cpuMicros } = await costOf(pids, () => runRedisBenchmark(port, pipelined, requests, hotKeys))
        turns.push({ name, pipelined, ...result, cpuMicros: each(cpuMicros, requests) })
      }
    }
  }
  return [...Map.groupBy(turns, ({ name, pipelined }) => `${pipelined} ${name}`).values()].flatMap((group) =>
    group.slice(0, 1).map((first) => ({
      ...first,
      requestsPerSecond: median(group.map(({ requestsPerSecond }) => requestsPerSecond)),
      p50Ms: median(group.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(group.map(({ p99Ms }) => p99Ms)),
      cpuMicros: middleCpu(group),
    })),
  )
}

function mediansOf(turns: readonly HitRow[]): readonly HitRow[] {
  return [...Map.groupBy(turns, ({ name, delayMs }) => `${delayMs} ${name}`).values()].flatMap((group) =>
    group.slice(0, 1).map((first) => ({
      ...first,
      p50Micros: median(group.map(({ p50Micros }) => p50Micros)),
      p99Micros: median(group.map(({ p99Micros }) => p99Micros)),
      perSecond: median(group.map(({ perSecond }) => perSecond)),
      cpuMicros: middleCpu(group),
    })),
  )
}

function middleCpu(turns: readonly { readonly cpuMicros: Cpu }[]): Cpu {
  const names = Object.keys(turns[0]?.cpuMicros ?? {})
  return Object.fromEntries(names.map((name) => [name, median(turns.map(({ cpuMicros }) => cpuMicros[name] ?? Number.NaN))]))
}

function inTurn(names: readonly string[]): () => string {
  let n = 0
  return () => names[n++ % names.length] ?? ''
}
