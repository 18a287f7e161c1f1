/** What reads cost Redis and baton, where some names are read far more often than others. */
import type { Redis } from 'ioredis'
import { zipf } from '../../test/cache/warm/zipf.ts'
import { startRedis } from '../../test/kit/redis.ts'
import { median } from '../summary.ts'
import { connectClient, type Place, readOneByOne } from './client.ts'
import { type Cpu, costOf, type Pids } from './cost.ts'
import { startGateways } from './gateways.ts'
import type { Scale } from './scale.ts'
import { checkValues, fillRedis, nameOf } from './values.ts'

export interface SavingsRow {
  readonly name: string
  readonly perSecond: number
  /** Null: nobody counts. */
  readonly hitRatio: number | null
  /** ms for 100,000 reads. */
  readonly cpuMs: Cpu
}

/** Each one at a time: eight requests of the app that are under way. */
export const clients = 8
export const exponent = 1
const told = 100_000

/** Each round with a gateway that holds nothing, then once more with what it holds by now, and beside them without a gateway. */
export async function measureSavings(scale: Scale): Promise<readonly SavingsRow[]> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedis())
  const direct = await connectMany(stack, { host: '127.0.0.1', port: redis.port })
  const [first] = direct
  if (first === undefined) throw new Error('no client')
  await fillRedis(first, scale.zipfKeys)
  await checkValues(first, scale.zipfKeys, 'Redis')
  const turns: SavingsRow[] = []
  for (let round = 0; round < scale.rounds; round += 1) {
    await using running = new AsyncDisposableStack()
    const gateways = running.use(await startGateways({ redisPort: redis.port, cache: { warm: { from: [] } } }))
    const through = await connectMany(running, gateways.places.v1)
    const pids: Pids = { redis: [redis.pid], baton: gateways.pids }
    const counted = async () => {
      const { hits, misses } = await gateways.statsOf('v1')
      return { hits, misses }
    }
    const seed = round + 1
    turns.push(await runTurn('Redis alone', direct, scale, seed, { redis: [redis.pid] }, null))
    turns.push(await runTurn('gateway, cold at first', through, scale, seed, pids, counted))
    turns.push(await runTurn('gateway, after these', through, scale, seed + 1_000, pids, counted))
  }
  return [...Map.groupBy(turns, ({ name }) => name).values()].map(middleOf)
}

type Counted = (() => Promise<{ readonly hits: number; readonly misses: number }>) | null

async function runTurn(name: string, all: readonly Redis[], scale: Scale, seed: number, pids: Pids, counted: Counted): Promise<SavingsRow> {
  const draw = zipf(scale.zipfKeys, exponent, seed)
  const share = Math.ceil(scale.zipfReads / all.length)
  const before = await counted?.()
  const beganAt = performance.now()
  const { cpuMicros } = await costOf(pids, () =>
    Promise.all(
      all.map((client) =>
        readOneByOne(
          client,
          () => nameOf(draw()),
          (count) => count >= share,
        ),
      ),
    ),
  )
  const seconds = (performance.now() - beganAt) / 1_000
  const after = await counted?.()
  const reads = share * all.length
  return {
    name,
    perSecond: reads / seconds,
    hitRatio: before === undefined || after === undefined ? null : (after.hits - before.hits) / reads,
    cpuMs: Object.fromEntries(Object.entries(cpuMicros).map(([process, micros]) => [process, (micros / reads) * (told / 1_000)])),
  }
}

async function connectMany(stack: AsyncDisposableStack, place: Place): Promise<readonly Redis[]> {
  return Promise.all(Array.from({ length: clients }, async () => stack.use(await connectClient(place))))
}

function middleOf(turns: readonly SavingsRow[]): SavingsRow {
  const of = (pick: (turn: SavingsRow) => number): number => median(turns.map(pick))
  const [first] = turns
  if (first === undefined) throw new Error('no turn')
  return {
    name: first.name,
    perSecond: of(({ perSecond }) => perSecond),
    hitRatio: first.hitRatio === null ? null : of(({ hitRatio }) => hitRatio ?? Number.NaN),
    cpuMs: Object.fromEntries(Object.keys(first.cpuMs).map((name) => [name, of(({ cpuMs }) => cpuMs[name] ?? Number.NaN)])),
  }
}
