/** Warm-ups of many keys, at the usual rate and as fast as they go, and what another client of Redis has of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { VersionStats } from '../../src/cache/stats.ts'
import { startRedis } from '../../test/kit/redis.ts'
import { median } from '../summary.ts'
import { connectClient, type Times, timesOf } from './client.ts'
import { type Cpu, costOf } from './cost.ts'
import { type Gateways, startGateways } from './gateways.ts'
import type { Scale } from './scale.ts'
import { checkValues, fillRedis, nameOf } from './values.ts'

export interface WarmRow {
  readonly name: string
  readonly keys: number
  /** By the warm-up's own clock. */
  readonly seconds: number
  readonly cpuMs: Cpu
  /** Of another client of Redis that asks once a millisecond, and of one of a gateway; ms. */
  readonly besideP99Ms: number
  readonly gatewayP99Ms: number
  /** What that one waited at most: how long baton did nothing else. */
  readonly gatewayMaxMs: number
}

interface Way {
  readonly name: string
  readonly warm: object
}

const unpaced = 1_000_000
const ways: readonly Way[] = [
  { name: '10,000/s, batches of 64 (default)', warm: {} },
  { name: '20,000/s, batches of 64', warm: { rate: 20_000 } },
  { name: 'no limit, batches of 16', warm: { rate: unpaced, batch: 16 } },
  { name: 'no limit, batches of 64', warm: { rate: unpaced, batch: 64 } },
  { name: 'no limit, batches of 256', warm: { rate: unpaced, batch: 256 } },
]
const idleMs = 2_000
const beside = 'beside'

export async function measureWarmUps(scale: Scale): Promise<readonly WarmRow[]> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedis())
  const direct = stack.use(await connectClient({ host: '127.0.0.1', port: redis.port }))
  const names = Array.from({ length: scale.warmKeys }, (_, n) => nameOf(n))
  await fillRedis(direct, scale.warmKeys)
  await direct.set(beside, 'x'.repeat(100))
  const gateways = stack.use(await startGateways({ redisPort: redis.port, cache: { warm: { from: [] } }, names }))
  const through = stack.use(await connectClient(gateways.places.v1))
  const pids = { redis: [redis.pid], baton: gateways.pids }
  const look = async (name: string, work: () => Promise<VersionStats | null>): Promise<WarmRow> => {
    const probes = [startProbe(direct), startProbe(through)]
    const { result: stats, cpuMicros } = await costOf(pids, work)
    const [others, gateway] = await Promise.all(probes.map((probe) => probe.stop()))
    const seconds = (stats?.warm?.progress.elapsedMs ?? idleMs) / 1_000
    const keys = stats?.keys ?? 0
    if (stats !== null && keys !== scale.warmKeys) throw new Error(`${name}: ${keys} keys are held of ${scale.warmKeys}`)
    const cpuMs = Object.fromEntries(Object.entries(cpuMicros).map(([process, micros]) => [process, micros / 1_000]))
    return {
      name,
      keys,
      seconds,
      cpuMs,
      besideP99Ms: inMs(others?.p99Micros),
      gatewayP99Ms: inMs(gateway?.p99Micros),
      gatewayMaxMs: inMs(gateway?.maxMicros),
    }
  }
  const turns: WarmRow[] = []
  for (let round = 0; round < scale.rounds; round += 1) {
    turns.push(await look('idle', () => sleep(Math.min(idleMs, scale.turnMs * 4), null)))
    for (const { name, warm } of ways) {
      // what is stable is warmed by itself as soon as Redis is tracked under the new settings
      turns.push(await look(name, () => anew(gateways, warm)))
      if (round === 0) await checkValues(through, scale.warmKeys, name)
    }
    turns.push(await look('from the other version, no limit', () => gateways.warm('v2')))
  }
  return [...Map.groupBy(turns, ({ name }) => name).values()].map(middleOf)
}

async function anew(gateways: Gateways, warm: object): Promise<VersionStats> {
  await gateways.use({ warm: { from: ['other-version', 'file'], target: { keys: 100_000_000 }, ...warm } })
  return gateways.warmed('v1')
}

/** Asks once a millisecond: rather an app with little to do than a load. */
function startProbe(client: Redis): { stop(): Promise<Times> } {
  const micros: number[] = []
  const beganAt = performance.now()
  const state = { stopped: false }
  const asks = (async () => {
    while (!state.stopped) {
      const askedAt = performance.now()
      await client.get(beside)
      micros.push((performance.now() - askedAt) * 1_000)
      await sleep(1)
    }
  })()
  return {
    async stop() {
      state.stopped = true
      await asks
      return timesOf(micros, (performance.now() - beganAt) / 1_000)
    },
  }
}

function inMs(micros = Number.NaN): number {
  return micros / 1_000
}

function middleOf(turns: readonly WarmRow[]): WarmRow {
  const of = (pick: (turn: WarmRow) => number): number => median(turns.map(pick))
  const [first] = turns
  if (first === undefined) throw new Error('no turn')
  return {
    name: first.name,
    keys: first.keys,
    seconds: of(({ seconds }) => seconds),
    cpuMs: Object.fromEntries(Object.keys(first.cpuMs).map((name) => [name, of(({ cpuMs }) => cpuMs[name] ?? Number.NaN)])),
    besideP99Ms: of(({ besideP99Ms }) => besideP99Ms),
    gatewayP99Ms: of(({ gatewayP99Ms }) => gatewayP99Ms),
    gatewayMaxMs: of(({ gatewayMaxMs }) => gatewayMaxMs),
  }
}
