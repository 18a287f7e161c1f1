/** What the writes of a hot key cost Redis while both versions read it: a refresh for both, and no more of them than the limit lets. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { startRedis } from '../../test/kit/redis.ts'
import { openLoop } from '../../test/upgrade/kit/open-loop.ts'
import { median } from '../summary.ts'
import { connectClient } from './client.ts'
import { costOf } from './cost.ts'
import { type Gateways, startGateways } from './gateways.ts'
import type { Scale } from './scale.ts'
import { isOf, nameOf, valueFor } from './values.ts'

export interface WriteRow {
  readonly writesPerSecond: number
  /** Through both gateways together, or of as many clients of Redis alone. */
  readonly readsPerSecond: number
  readonly through: 'the gateways' | 'Redis alone'
  /** For each write, itself not counted: what the clients read, and what baton did. */
  readonly passed: number
  readonly read: number
  /** Of these, as the tracker counts them. */
  readonly refreshes: number
  readonly fills: number
  readonly hitRatio: number | null
  /** ms of CPU for a second of this. */
  readonly redisCpuMs: number
  readonly batonCpuMs: number
}

interface Load {
  readonly writesPerSecond: number
  readonly readsPerSecond: number
}

const loads: readonly Load[] = [
  { writesPerSecond: 10, readsPerSecond: 2_000 },
  { writesPerSecond: 100, readsPerSecond: 2_000 },
  { writesPerSecond: 1_000, readsPerSecond: 2_000 },
  { writesPerSecond: 1_000, readsPerSecond: 100 },
  { writesPerSecond: 1_000, readsPerSecond: 0 },
]
const hot = nameOf(1)

export async function measureWrites(scale: Scale): Promise<readonly WriteRow[]> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedis())
  const connect = async (place: Parameters<typeof connectClient>[0]): Promise<Redis> => stack.use(await connectClient(place))
  const here = { host: '127.0.0.1', port: redis.port }
  const [writer, counter] = [await connect(here), await connect(here)]
  await writer.set(hot, valueFor(hot))
  const gateways = stack.use(await startGateways({ redisPort: redis.port, cache: { warm: { from: [] }, hotNames: 'off' } }))
  const places = [
    { through: 'the gateways' as const, readers: [await connect(gateways.places.v1), await connect(gateways.places.v2)] },
    { through: 'Redis alone' as const, readers: [await connect(here), await connect(here)] },
  ]
  await checkBothHold(gateways, places[0]?.readers ?? [])
  const turns: WriteRow[] = []
  for (let round = 0; round < scale.rounds; round += 1) {
    for (const load of loads) {
      for (const { through, readers } of places) {
        const turn = { load, through, readers, writer, counter, gateways, redisPid: redis.pid }
        turns.push(await runTurn(turn, scale.writeTurnMs))
      }
    }
  }
  const groups = Map.groupBy(turns, ({ writesPerSecond, readsPerSecond, through }) => `${writesPerSecond} ${readsPerSecond} ${through}`)
  return [...groups.values()].map(middleOf)
}

interface Turn {
  readonly load: Load
  readonly through: WriteRow['through']
  readonly readers: readonly Redis[]
  readonly writer: Redis
  readonly counter: Redis
  readonly gateways: Gateways
  readonly redisPid: number
}

async function runTurn({ load, through, readers, writer, counter, gateways, redisPid }: Turn, turnMs: number): Promise<WriteRow> {
  const { writesPerSecond, readsPerSecond } = load
  const before = { commands: await commandsOf(counter), stats: await countsOf(gateways) }
  const beganAt = performance.now()
  const { cpuMicros } = await costOf({ redis: [redisPid], baton: gateways.pids }, async () => {
    const pending = new Set<Promise<unknown>>()
    const track = (done: Promise<unknown>): void => {
      pending.add(done)
      void done.finally(() => pending.delete(done)).catch(() => {})
    }
    const loops = [
      openLoop(writesPerSecond, () => track(writer.set(hot, valueFor(hot)))),
      ...readers.map((reader) => openLoop(readsPerSecond / readers.length, () => track(readHot(reader)))),
    ]
    await sleep(turnMs)
    for (const loop of loops) loop.stop()
    await Promise.all(pending)
  })
  const seconds = (performance.now() - beganAt) / 1_000
  const after = { commands: await commandsOf(counter), stats: await countsOf(gateways) }
  const more = (command: string): number => (after.commands.get(command) ?? 0) - (before.commands.get(command) ?? 0)
  const moreOf = (count: keyof Counts): number => after.stats[count] - before.stats[count]
  const writes = Math.max(1, more('set'))
  const asked = moreOf('hits') + moreOf('misses')
  return {
    writesPerSecond,
    readsPerSecond,
    through,
    passed: more('get') / writes,
    read: (more('getrange') + more('pttl')) / writes,
    refreshes: moreOf('refreshes') / writes,
    fills: moreOf('fills') / writes,
    hitRatio: through === 'Redis alone' || asked === 0 ? null : moreOf('hits') / asked,
    redisCpuMs: (cpuMicros.redis ?? 0) / 1_000 / seconds,
    batonCpuMs: (cpuMicros.baton ?? 0) / 1_000 / seconds,
  }
}

async function readHot(client: Redis): Promise<void> {
  if (!isOf(hot, await client.get(hot))) throw new Error(`${hot} has another value`)
}

/** Before anything is timed: a read in each gateway is a hit, and a write by another reaches both. */
async function checkBothHold(gateways: Gateways, readers: readonly Redis[]): Promise<void> {
  for (const reader of readers) for (let times = 0; times < 200; times += 1) await readHot(reader)
  for (const { version, hits } of (await gateways.stats()).versions) if (hits === 0) throw new Error(`${version} had no hit`)
}

interface Counts {
  readonly hits: number
  readonly misses: number
  readonly refreshes: number
  readonly fills: number
}

async function countsOf(gateways: Gateways): Promise<Counts> {
  const { source, versions } = await gateways.stats()
  const sum = (pick: (version: (typeof versions)[number]) => number): number => versions.reduce((all, version) => all + pick(version), 0)
  const { refreshes = 0, fills = 0 } = source?.counts ?? {}
  return { hits: sum(({ hits }) => hits), misses: sum(({ misses }) => misses), refreshes, fills }
}

/** `cmdstat_get:calls=21,usec=…` */
async function commandsOf(client: Redis): Promise<ReadonlyMap<string, number>> {
  const text = await client.info('commandstats')
  return new Map([...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]))
}

function middleOf(turns: readonly WriteRow[]): WriteRow {
  const of = (pick: (turn: WriteRow) => number): number => median(turns.map(pick))
  const [first] = turns
  if (first === undefined) throw new Error('no turn')
  return {
    ...first,
    passed: of(({ passed }) => passed),
    read: of(({ read }) => read),
    refreshes: of(({ refreshes }) => refreshes),
    fills: of(({ fills }) => fills),
    hitRatio: first.hitRatio === null ? null : of(({ hitRatio }) => hitRatio ?? Number.NaN),
    redisCpuMs: of(({ redisCpuMs }) => redisCpuMs),
    batonCpuMs: of(({ batonCpuMs }) => batonCpuMs),
  }
}
