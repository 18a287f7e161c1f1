/**
 * One seeded run against real Redis: an app that reads and writes through its cache, others that write behind baton's back, and a network
 * that delays, cuts and loses; the app is restarted, the tracked source is lost. Each read's value and age is checked.
 *
 * Writes of one key follow one another, so that its history is known; between keys everything overlaps.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis as Client } from 'ioredis'
import { type Cache, createCache } from '../../../src/cache/client/cache.ts'
import type { PushSource } from '../../../src/cache/push/pusher.ts'
import { startFaultProxy } from '../../kit/fault-proxy.ts'
import { until } from '../../kit/until.ts'
import { type Batch, type Passage, startRelay } from './relay.ts'
import { type Rig, startRig } from './rig.ts'

/** `late`: batches come late and twice. `slow`: there is more to tell than there is time for. */
type Network = 'mixed' | 'late' | 'slow'
const networks: readonly Network[] = ['mixed', 'late', 'slow']

/** A rule of the protocol that is not kept. */
export const variants = {
  'batches claim to have heard of every write': {
    change: ({ header, lines }) => ({ header: { ...header, fence: Number.MAX_SAFE_INTEGER }, lines }),
  },
  'no barrier before a fence is told': {
    through: (source) => ({
      fresh: (now) => source.fresh(now),
      filled: (name, want, view) => source.filled(name, want, view),
      barrier: () => Promise.resolve(),
    }),
  },
  'the app writes past its cache': { isBypassed: true },
  'no lease': { change: ({ header, lines }) => ({ header: { ...header, leaseMs: header.leaseMs * 1_000 }, lines }) },
  'a batch that leaves something owed prolongs the lease': {
    network: 'slow',
    change: ({ header, lines }) => ({ header: { ...header, leaseMs: header.seq > 0 ? leaseMs : 0 }, lines }),
  },
  'any epoch and seq is taken': {
    network: 'late',
    change({ header, lines }, last) {
      if (header.seq === 0 || last === null) return { header, lines }
      const { instance, epoch, seq } = last.answer
      return { header: { ...header, instance, epoch, seq: seq + 1 }, lines }
    },
  },
  'a resync without clear': {
    change: ({ header, lines }) => ({
      header,
      lines: lines.map((line) => (line.includes('"clear"') ? '{"op":"delete","key":"k:-"}' : line)),
    }),
  },
  'a TTL counts from the receipt': {
    network: 'late',
    change: ({ header, lines }, last) => ({
      header,
      lines: lines.map((line) => {
        const op = JSON.parse(line) as { ttlMs?: number }
        const sinceMs = last === null ? 0 : performance.now() - last.at
        return op.ttlMs === undefined ? line : JSON.stringify({ ...op, ttlMs: op.ttlMs + sinceMs })
      }),
    }),
  },
} as const satisfies Record<string, Variant>

interface Variant {
  readonly change?: (batch: Batch, last: Parameters<Parameters<typeof startRelay>[0]['change']>[1]) => Batch
  readonly through?: (source: PushSource) => PushSource
  readonly isBypassed?: boolean
  /** In which it shows best. */
  readonly network?: Network
}

export interface Outcome {
  readonly violations: readonly string[]
  readonly reads: number
  readonly hits: number
  readonly resyncs: number
  readonly oldestMs: number
}

const stalenessMs = 100
const leaseMs = 120
const timeoutMs = 70
const runMs = 2_000
/** Between two of one client, at most. */
const readMs = 4
const ownWriteMs = 60
const foreignWriteMs = 30
const keys = Array.from({ length: 24 }, (_, at) => `k:${at}`)

interface Write {
  readonly value: string | null
  readonly ttlMs: number | null
  readonly began: number
  replied: number
  /** The cache through which it was written. */
  readonly by: Cache | null
}

/** A variant's run ends with the first violation; else the seed chooses the network. */
export async function runModel(redisPort: number, seed: number, variant: Variant | null = null): Promise<Outcome> {
  const model = new Model(seed, variant)
  try {
    await model.start(redisPort)
    await model.run()
    return model.outcome
  } finally {
    await model.stop()
  }
}

class Model {
  readonly #random: () => number
  readonly #variant: Variant
  readonly #isBroken: boolean
  readonly #network: Network
  readonly #stack = new AsyncDisposableStack()
  readonly #history = new Map<string, Write[]>(keys.map((key) => [key, [initial()]]))
  readonly #writing = new Map<string, Promise<void>>()
  readonly #violations: string[] = []
  #cache = createCache({ max: 1_000 })
  #rig: Rig | null = null
  #reads = 0
  #hits = 0
  #oldestMs = 0
  #lastValue = 0
  #isOver = false
  #isFair = false
  #becomeFair: () => void = () => {}
  #act: () => Promise<void> = async () => {}

  constructor(seed: number, variant: Variant | null) {
    this.#random = randomFrom(seed)
    this.#variant = variant ?? {}
    this.#isBroken = variant !== null
    this.#network = variant === null ? (networks[seed % networks.length] ?? 'mixed') : (variant.network ?? 'mixed')
  }

  get outcome(): Outcome {
    const resyncs = this.#rig?.pusher.progress.resyncs ?? 0
    return { violations: this.#violations, reads: this.#reads, hits: this.#hits, resyncs, oldestMs: this.#oldestMs }
  }

  async start(redisPort: number): Promise<void> {
    const server = createServer((request, response) => {
      if (!this.#cache.handle(request, response)) response.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const appPort = typeof address === 'object' && address !== null ? address.port : 0
    this.#stack.defer(async () => {
      server.closeAllConnections()
      await once(server.close(), 'close')
    })
    const { through, change = (batch) => batch } = this.#variant
    const relay = this.#stack.use(await startRelay({ appPort, passage: () => this.#passage(), change }))
    const pushed = this.#stack.use(await startFaultProxy(relay.port))
    const tracked = this.#stack.use(await startFaultProxy(redisPort))
    const loaded = this.#stack.use(await startFaultProxy(redisPort))
    const outside = this.#client(redisPort)
    await outside.flushdb()
    const app = this.#client(loaded.port)
    await app.ping()
    loaded.weather = { is: 'uneven', ms: 3 }
    this.#rig = this.#stack.use(
      await startRig({
        redisPort: tracked.port,
        appPort: pushed.port,
        stalenessMs,
        push: { leaseMs, timeoutMs, batchOps: this.#network === 'slow' ? 2 : 2 ** (2 + 2 * Math.floor(this.#random() * 3)) },
        ...(through && { through }),
      }),
    )
    tracked.weather = { is: 'uneven', ms: 5 }
    if (this.#network === 'slow') pushed.weather = { is: 'slow', ms: 12 }
    this.#becomeFair = () => {
      pushed.weather = { is: 'fair' }
    }
    this.#act = async () => {
      const faults = async (): Promise<void> => {
        await sleep(80 + this.#random() * 200)
        const die = this.#random()
        if (die < 0.15) pushed.reset()
        else if (die < 0.35) await during(pushed, { is: 'black-hole' }, (1 + this.#random()) * (stalenessMs + leaseMs))
        else if (die < 0.6) await during(pushed, { is: 'slow', ms: 10 + this.#random() * 15 }, this.#random() * 1_200)
        else if (die < 0.85) tracked.reset()
        else if (die < 0.95) this.#cache = createCache({ max: 1_000 })
      }
      await Promise.all([
        ...Array.from({ length: 6 }, () => this.#forEver(() => this.#read(app), readMs)),
        ...Array.from({ length: 2 }, () => this.#forEver(() => this.#write(app, true), ownWriteMs)),
        ...Array.from({ length: this.#network === 'slow' ? 3 : 1 }, () => this.#forEver(() => this.#write(outside, false), foreignWriteMs)),
        ...(this.#network === 'mixed' ? [this.#forEver(faults)] : []),
      ])
    }
  }

  async run(): Promise<void> {
    const timer = setTimeout(() => (this.#isOver = true), runMs)
    await this.#act()
    clearTimeout(timer)
    if (!this.#isBroken) await this.#quiet()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#stack.disposeAsync()
  }

  #client(port: number): Client {
    const client = new Client({ port, host: '127.0.0.1', retryStrategy: null })
    this.#stack.defer(() => client.disconnect())
    return client
  }

  async #forEver(act: () => Promise<void>, restMs = 0): Promise<void> {
    while (!this.#isOver && !(this.#isBroken && this.#violations.length > 0)) {
      await act()
      await sleep(this.#random() * restMs)
    }
    this.#isOver = true
  }

  #passage(): Passage {
    if (this.#isFair) return { delayMs: 0, againMs: null, isAnswerLost: false }
    const isLate = this.#network === 'late'
    const die = this.#random()
    const delayMs = die < 0.03 ? timeoutMs * (1 + 2 * this.#random()) : die < (isLate ? 0.4 : 0.1) ? this.#random() * timeoutMs * 0.8 : 0
    const isTwice = this.#random() < (isLate ? 0.15 : 0.02)
    return { delayMs, againMs: isTwice ? this.#random() * 100 : null, isAnswerLost: this.#random() < 0.02 }
  }

  async #read(app: Client): Promise<void> {
    const key = this.#anyKey()
    const cache = this.#cache
    let isHit = true
    const began = performance.now()
    const value = await cache.get(key, (name) => {
      isHit = false
      return app.get(name)
    })
    this.#reads += 1
    if (isHit) this.#hits += 1
    this.#judge(key, value, began, performance.now(), cache, isHit ? 'hit' : 'loaded')
  }

  #judge(key: string, value: string | null, began: number, ended: number, cache: Cache, how: string): void {
    const history = this.#history.get(key) ?? []
    const isValue = (write: Write): boolean =>
      write.began <= ended && (write.value === value || (value === null && write.ttlMs !== null && write.began + write.ttlMs <= ended + 1))
    const at = history.findLastIndex(isValue)
    const write = history[at]
    if (write === undefined) return this.#violate(`${key}: ${how} ${value}, which it never had`)
    const own = history.findLastIndex(({ by, replied }) => by === cache && replied <= began)
    if (at < own) this.#violate(`${key}: ${how} ${value} after the own write of ${history[own]?.value}`)
    const ageMs = began - (history[at + 1]?.replied ?? began)
    this.#oldestMs = Math.max(this.#oldestMs, ageMs)
    if (ageMs > stalenessMs + leaseMs) this.#violate(`${key}: ${how} ${value}, ${Math.round(ageMs)} ms too late`)
    // Redis counts in whole milliseconds
    const pastMs = value === null || write.ttlMs === null ? 0 : began - write.replied - write.ttlMs - 2
    if (pastMs > 0) this.#violate(`${key}: ${how} ${value}, ${pastMs} ms past its TTL of ${write.ttlMs}`)
  }

  #violate(what: string): void {
    this.#violations.push(what)
  }

  async #write(client: Client, isOwn: boolean): Promise<void> {
    const key = this.#anyKey()
    const before = this.#writing.get(key)
    // others write other keys meanwhile
    if (before !== undefined) return before
    const writing = this.#writeNow(client, key, isOwn).finally(() => this.#writing.delete(key))
    this.#writing.set(key, writing)
    await writing
  }

  async #writeNow(client: Client, key: string, isOwn: boolean): Promise<void> {
    const cache = isOwn ? this.#cache : null
    const through = <Result>(run: () => Promise<Result>): Promise<Result> =>
      cache === null || this.#variant.isBypassed === true ? run() : cache.write(key, run)
    if (isOwn && this.#random() < 0.1) {
      await through(() => client.call('SET', key, 'x', 'NO-OPTION')).catch(() => {})
      return
    }
    this.#lastValue += 1
    const die = this.#random()
    const value = die < 0.15 ? null : `${key}=${this.#lastValue}`
    const ttlMs = die > 0.75 ? 40 + Math.floor(this.#random() * 200) : null
    const write: Write = { value, ttlMs, began: performance.now(), replied: Number.POSITIVE_INFINITY, by: cache }
    this.#history.get(key)?.push(write)
    await through(() => {
      if (value === null) return client.call('DEL', key)
      return client.call('SET', key, value, ...(ttlMs === null ? [] : ['PX', ttlMs]))
    })
    write.replied = performance.now()
  }

  /** All that was missed is wanted, so that in the end all three hold the same. */
  async #quiet(): Promise<void> {
    this.#isFair = true
    this.#becomeFair()
    const { view } = this.#rig ?? {}
    let differences: readonly string[] = []
    const isEqual = async (): Promise<boolean> => {
      differences = (
        await Promise.all(
          keys.map(async (key) => {
            let isHit = true
            const held = await this.#cache.get(key, async () => {
              isHit = false
              return null
            })
            const payload = view?.peek(key)?.payload
            const viewed = payload?.is === 'string' ? payload.value.toString() : payload?.is === 'absent' ? null : undefined
            const { value } = this.#history.get(key)?.at(-1) ?? initial()
            const isExpiring = this.#history.get(key)?.at(-1)?.ttlMs !== null
            const isRight = isHit && viewed === held && (held === value || (isExpiring && held === null))
            return isRight ? [] : [`${key} is ${value}, in the view ${viewed}, in the app ${isHit ? held : 'a miss'}`]
          }),
        )
      ).flat()
      return differences.length === 0
    }
    await until(isEqual, () => differences.join('; ')).catch((error: Error) => this.#violate(error.message))
  }

  #anyKey(): string {
    return keys[Math.floor(this.#random() * keys.length)] ?? ''
  }
}

async function during(proxy: { weather: unknown }, weather: unknown, ms: number): Promise<void> {
  proxy.weather = weather
  await sleep(ms)
  proxy.weather = { is: 'fair' }
}

function initial(): Write {
  return { value: null, ttlMs: null, began: Number.NEGATIVE_INFINITY, replied: Number.NEGATIVE_INFINITY, by: null }
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
