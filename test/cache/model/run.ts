/** One run of the model check: the cache in a thread, clients and outside writers, faults between them, all of it from one seed. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type FaultProxy, startFaultProxy } from '../../kit/fault-proxy.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { RespClient, RespError } from '../../kit/resp-client.ts'
import { until } from '../../kit/until.ts'
import { judge, type Verdict } from './judge.ts'
import { Actor, names, Recorder } from './load.ts'
import { Monitor } from './monitor.ts'
import { Random } from './random.ts'
import type { Dump, Order, Report, SideData } from './side.ts'
import type { Broken } from './variants.ts'

export interface Plan {
  readonly seed: number
  readonly seconds: number
  readonly by: 'broadcast' | 'keys'
  /** Of one chunk in one direction, at most. */
  readonly delayMs: number
  readonly stalenessMs: number
  readonly broken: Broken | null
  /** Redis is killed and started again, empty, so many times. */
  readonly restarts: number
}

export interface Outcome extends Verdict {
  readonly hits: number
  readonly losses: number
  readonly fills: number
  /** What a view held after quiet that is not what Redis holds. */
  readonly unequal: readonly string[]
}

const clients = 12
const writers = 2
/** Baton's own connections are made in this order, again and again. */
const source = ['baton-hears', 'baton-reads', 'baton-aside'] as const

export async function runModel(plan: Plan): Promise<Outcome> {
  const random = new Random(plan.seed)
  await using redis = await startRedis({ conf: ['enable-debug-command local'] })
  // in a big database Redis comes to an expired key late: here never, every other time
  if (plan.seed % 2 === 1) await redis.say('DEBUG SET-ACTIVE-EXPIRE 0')
  await using toSource = await startFaultProxy(redis.port)
  await using toClients = await startFaultProxy(redis.port)
  const delays = random.fork()
  const jam = new Jam()
  const delay = () => delays.next() * plan.delayMs
  toClients.weather = { is: 'drawn', ms: delay }
  toSource.weather = { is: 'drawn', ms: (connection) => delay() + jam.delayOf(connection) }
  const side = new Side(plan, toSource, toClients)
  try {
    return await new ModelRun(plan, random, redis, toSource, jam, side).run()
  } finally {
    await side.end()
  }
}

interface Playing {
  readonly actor: Actor
  /** Between two things that it does, at most. */
  readonly pauseMs: number
  next(): Promise<void>
}

type Fault = 'loss' | 'jam' | 'jam of S' | 'stall' | 'hiccup'

/** One of the source's connections is held up: nothing is lost, and nothing comes. */
class Jam {
  #which = 0
  #until = 0

  begin(which: number, ms: number): void {
    this.#which = which
    this.#until = performance.now() + ms
  }

  delayOf(connection: number): number {
    return connection % source.length === this.#which ? Math.max(0, this.#until - performance.now()) : 0
  }
}

/** The thread that the cache is in. */
class Side {
  readonly #worker: Worker
  readonly #reports: Report[] = []
  #failure: Error | null = null

  constructor({ seed, by, stalenessMs, broken }: Plan, toSource: FaultProxy, toClients: FaultProxy) {
    const data: SideData = { seed, by, stalenessMs, broken, sourcePort: toSource.port, clientPort: toClients.port }
    this.#worker = new Worker(new URL('side.ts', import.meta.url), { workerData: data })
    this.#worker.on('message', (report: Report) => this.#reports.push(report))
    this.#worker.on('error', (error: Error) => (this.#failure = error))
  }

  send(order: Order): void {
    this.#worker.postMessage(order)
  }

  async ready(): Promise<readonly number[]> {
    const report = await this.#report('ready')
    return report.is === 'ready' ? report.ports : []
  }

  async dump(): Promise<Dump> {
    this.send({ is: 'dump' })
    const report = await this.#report('dump')
    if (report.is !== 'dump') throw new Error('no dump')
    return report
  }

  async end(): Promise<void> {
    const exited = once(this.#worker, 'exit')
    this.send({ is: 'end' })
    await exited
  }

  #report(kind: Report['is']): Promise<Report> {
    return until(
      () => {
        if (this.#failure !== null) throw this.#failure
        const at = this.#reports.findIndex(({ is }) => is === kind)
        return at === -1 ? null : (this.#reports.splice(at, 1)[0] ?? null)
      },
      () => `the cache's thread told nothing of ${kind}`,
    )
  }
}

class ModelRun {
  readonly #plan: Plan
  readonly #random: Random
  readonly #redis: Redis
  readonly #toSource: FaultProxy
  readonly #jam: Jam
  readonly #side: Side
  readonly #recorder = new Recorder()
  readonly #gaps: (readonly [number, number])[] = []

  constructor(plan: Plan, random: Random, redis: Redis, toSource: FaultProxy, jam: Jam, side: Side) {
    this.#jam = jam
    this.#plan = plan
    this.#random = random
    this.#redis = redis
    this.#toSource = toSource
    this.#side = side
  }

  async run(): Promise<Outcome> {
    const ports = await this.#side.ready()
    using monitor = new Monitor()
    using direct = await RespClient.connect(this.#redis.port)
    await this.#recorder.calibrate(direct)
    await monitor.attach(this.#redis.port)
    const parts = this.#plan.restarts + 1
    for (let part = 0; part < parts; part++) {
      if (part > 0) await this.#restart(monitor)
      await this.#act(ports, (1_000 * this.#plan.seconds) / parts)
    }
    this.#toSource.weather = { is: 'fair' }
    const unequal = await this.#quiet(ports)
    const { hits, losses, fills } = await this.#side.dump()
    using last = await RespClient.connect(this.#redis.port)
    await last.call('ECHO', 'the end of the run')
    await monitor.saw('the end of the run')
    const { operations, addresses } = this.#recorder
    const { stalenessMs } = this.#plan
    return { ...judge({ done: monitor.done, operations, addresses, stalenessMs, gaps: this.#gaps }), hits, losses, fills, unequal }
  }

  async #act(ports: readonly number[], ms: number): Promise<void> {
    const end = performance.now() + ms
    const actors = await this.#actors(ports)
    const faults = this.#faults(end)
    const acts = actors.map(({ actor, pauseMs, next }) => actor.act(end, pauseMs, next))
    await Promise.all([...acts, faults])
    for (const { actor } of actors) {
      if (actor.closed) throw new Error('a client lost its connection')
      actor.close()
    }
  }

  async #actors(ports: readonly number[]): Promise<Playing[]> {
    const actors: Playing[] = []
    for (let index = 0; index < clients; index++) {
      const port = ports[index % ports.length] ?? 0
      const protocol = index % 4 < 2 ? 2 : 3
      const actor = await Actor.throughGateway(port, protocol, index === clients - 1, this.#recorder, this.#random.fork())
      actors.push({ actor, pauseMs: 3, next: index % 4 === 0 ? () => actor.reader() : () => actor.client() })
    }
    for (let index = 0; index < writers; index++) {
      const actor = await Actor.behind(this.#redis.port, this.#recorder, this.#random.fork())
      actors.push({ actor, pauseMs: 50, next: () => actor.writer() })
    }
    return actors
  }

  /** One of the source's connections is lost or held up, or the cache's thread stalls. */
  async #faults(end: number): Promise<void> {
    const random = this.#random.fork()
    using direct = await RespClient.connect(this.#redis.port)
    // however short the run is
    const faults: Fault[] = ['jam of S', 'loss', 'stall']
    for (;;) {
      const pause = random.between(150, 700)
      if (performance.now() + pause > end) return
      await sleep(pause)
      await this.#fault(faults.shift() ?? random.pick(['loss', 'jam', 'stall', 'hiccup']), random, direct)
    }
  }

  async #fault(fault: Fault, random: Random, direct: RespClient): Promise<void> {
    const { stalenessMs } = this.#plan
    switch (fault) {
      case 'loss':
        return killOne(direct, random.pick(source))
      case 'jam':
        return this.#jam.begin(random.below(source.length), stalenessMs * (0.5 + 2.5 * random.next()))
      case 'jam of S':
        return this.#jam.begin(0, stalenessMs * (2 + random.next()))
      case 'stall':
        return this.#side.send({ is: 'stall', ms: stalenessMs * (1 + random.next()) })
      case 'hiccup':
        return this.#side.send({ is: 'stall', ms: random.between(5, 80) })
    }
  }

  async #restart(monitor: Monitor): Promise<void> {
    const from = this.#recorder.now()
    await this.#redis.stop('SIGKILL')
    await sleep(this.#random.between(0, 300))
    await this.#redis.start()
    await monitor.attach(this.#redis.port)
    const to = this.#recorder.now()
    monitor.markFlushed(to)
    this.#gaps.push([from - 50, to])
  }

  /** I5: what both views hold when nothing happens any more. */
  async #quiet(ports: readonly number[]): Promise<string[]> {
    let whyNot: string | null = null
    await until(
      async () => {
        whyNot = (await this.#side.dump()).whyNot
        return whyNot === null
      },
      () => `the cache did not come back: ${whyNot}`,
    )
    for (let round = 0; round < 3; round++) {
      for (const port of ports) {
        using client = await RespClient.connect(port)
        await client.pipeline(names.map((name) => (name.startsWith('h') ? ['HGETALL', name] : ['GET', name])))
      }
      await sleep(60)
    }
    await sleep(600)
    const { held } = await this.#side.dump()
    using direct = await RespClient.connect(this.#redis.port)
    const unequal: string[] = []
    for (const [version, entries] of Object.entries(held))
      for (const [name, value] of entries) {
        const now = await heldByRedis(direct, name)
        if (!agrees(value, now)) unequal.push(`${version} holds ${name} = ${JSON.stringify(value)}, Redis ${JSON.stringify(now)}`)
      }
    return unequal
  }
}

async function killOne(direct: RespClient, name: string): Promise<void> {
  const list = String(await direct.call('CLIENT', 'LIST'))
  const id = list.split('\n').find((line) => line.includes(` name=${name} `))
  const number = id === undefined ? null : /^id=(\d+)/.exec(id)?.[1]
  if (number !== null && number !== undefined) await direct.call('CLIENT', 'KILL', 'ID', number)
}

async function heldByRedis(direct: RespClient, name: string): Promise<unknown> {
  const value = await direct.call('GET', name)
  if (!(value instanceof RespError)) return value
  const flat = await direct.call('HGETALL', name)
  if (!Array.isArray(flat)) return flat
  return Object.fromEntries(flat.flatMap((field, at) => (at % 2 === 0 ? [[String(field), flat[at + 1]]] : [])))
}

/** Of a hash some fields may be held, and null for one that is missing. */
function agrees(held: unknown, now: unknown): boolean {
  if (held === null || typeof held !== 'object') return held === now
  const fields: Readonly<Record<string, unknown>> = now !== null && typeof now === 'object' ? { ...now } : {}
  return Object.entries(held).every(([field, value]) => value === (fields[field] ?? null))
}
