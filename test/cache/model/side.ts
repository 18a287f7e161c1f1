/** The cache in a thread of its own, so that its event loop can be made to stall while everybody else goes on. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Payload } from '../../../src/cache/entry.ts'
import { startCachedRedis, versions } from '../../kit/cached-redis.ts'
import { names } from './load.ts'
import { Random } from './random.ts'
import { type Broken, breakIt } from './variants.ts'

export interface SideData {
  readonly seed: number
  readonly sourcePort: number
  readonly clientPort: number
  readonly by: 'broadcast' | 'keys'
  readonly stalenessMs: number
  readonly broken: Broken | null
}

/** `1s` of nothing but spinning; what is held; an order to end. */
export type Order = { readonly is: 'stall'; readonly ms: number } | { readonly is: 'dump' } | { readonly is: 'end' }

export interface Dump {
  readonly is: 'dump'
  /** Null: it is live. */
  readonly whyNot: string | null
  readonly hits: number
  readonly passed: number
  readonly losses: number
  readonly fills: number
  readonly kills: number
  /** By version: name, and what is held of it: a string, the fields of a hash, null where it is known to be missing. */
  readonly held: Readonly<Record<string, readonly (readonly [name: string, value: unknown])[]>>
}
export type Report = Dump | { readonly is: 'ready'; readonly ports: readonly number[] }

const data: SideData = workerData
const random = new Random(data.seed)
const { sourcePort, clientPort, by, stalenessMs, broken } = data
const cached = await startCachedRedis({
  sourcePort,
  clientPort,
  by,
  settings: { stalenessMs, refreshEveryMs: 20 },
  build: broken === null ? {} : breakIt(broken),
})
const warming = setInterval(() => {
  const view = cached.views[random.pick(versions)]
  void cached.tracker.filled(random.pick(names), random.pick(['any', 'string', 'hash'] as const), view)
}, 15)
parentPort?.on('message', (order: Order) => void obey(order))
report({ is: 'ready', ports: versions.map((version) => cached.ports[version]) })

async function obey(order: Order): Promise<void> {
  switch (order.is) {
    case 'stall': {
      const end = performance.now() + order.ms
      while (performance.now() < end);
      return
    }
    case 'dump':
      return report(dump())
    case 'end':
      clearInterval(warming)
      await cached[Symbol.asyncDispose]()
      parentPort?.close()
  }
}

function dump(): Dump {
  const now = performance.now()
  const held = versions.map((version) => {
    const view = cached.views[version]
    const entries = names.flatMap((name) => {
      const entry = view.peek(name)
      return entry === undefined || entry.deadline <= now ? [] : [[name, shown(entry.payload)] as const]
    })
    return [version, entries] as const
  })
  const { fills, kills, losses } = cached.tracker.counts
  const counts = versions.map((version) => cached.reads[version].counts)
  const sum = (of: 'hits' | 'passed') => counts.reduce((total, count) => total + count[of], 0)
  return {
    is: 'dump',
    whyNot: cached.tracker.whyNot,
    hits: sum('hits'),
    passed: sum('passed'),
    losses,
    fills,
    kills,
    held: Object.fromEntries(held),
  }
}

function shown(payload: Payload): unknown {
  switch (payload.is) {
    case 'absent':
      return null
    case 'string':
      return payload.value.toString('latin1')
    case 'hash':
      return Object.fromEntries([...payload.fields].map(([field, value]) => [field, value?.toString('latin1') ?? null]))
  }
}

function report(message: Report): void {
  parentPort?.postMessage(message)
}
