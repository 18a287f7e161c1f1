/** One run of the model check: the cache in a thread, clients and outside writers, faults between them, all of it from one seed. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type FaultProxy, startFaultProxy, type Weather } from '../../kit/fault-proxy.ts'
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
  /** Of one chunk in one direction, at most; and now and then far more. */
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
/** Of the chunks on the source's connections: held up for longer than S, and everything behind them. */
const jam = 0.002

export async function runModel(plan: Plan): Promise<Outcome> {
  const random = new Random(plan.seed)
  await using redis = await startRedis()
  await using toSource = await startFaultProxy(redis.port)
  await using toClients = await startFaultProxy(redis.port)
  const weather = delays(random.fork(), plan)
  toSource.weather = weather.jamming
  toClients.weather = weather.plain
  const side = new Side(plan, toSource, toClients)
  try {
    return await new ModelRun(plan, random, redis, toSource, side).run()
  } finally {
    await side.end()
  }
}

function delays(random: Random, { delayMs, stalenessMs }: Plan): { readonly plain: Weather; readonly jamming: Weather } {
  const plain = (): number => random.next() * delayMs
  const jammed = (): number => (random.chance(jam) ? stalenessMs * (1 + random.next() * 2) : plain())
  return { plain: { is: 'drawn', ms: plain }, jamming: { is: 'drawn', ms: jammed } }
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
  readonly #side: Side
  readonly #recorder = new Recorder()
  readonly #gaps: (readonly [number, number])[] = []

  constructor(plan: Plan, random: Random, redis: Redis, toSource: FaultProxy, side: Side) {
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
    if (process.env.DBG) { const c: Record<string, number> = {}; for (const d of monitor.done) { const k = (d.by === 'lua' ? 'lua ' : '') + d.words[0]; c[k] = (c[k] ?? 0) + 1 }; console.log(c, await this.#side.dump().then(({held, ...r}) => r)) }
    return { ...judge({ done: monitor.done, operations, addresses, stalenessMs, gaps: this.#gaps }), hits, losses, fills, unequal }
  }

  async #act(ports: readonly number[], ms: number): Promise<void> {
    const end = performance.now() + ms
    const actors = await this.#actors(ports)
    const faults = this.#faults(end)
    const acts = actors.map(({ actor, isClient }) =>
      actor.act(end, isClient ? 3 : 50, (own) => (isClient ? own.client() : own.writer())),
    )
    await Promise.all([...acts, faults])
    for (const { actor } of actors) {
      if (actor.closed) throw new Error('a client lost its connection')
      actor.close()
    }
  }

  async #actors(ports: readonly number[]): Promise<{ readonly actor: Actor; readonly isClient: boolean }[]> {
    const actors: { readonly actor: Actor; readonly isClient: boolean }[] = []
    for (let index = 0; index < clients; index++) {
      const port = ports[index % ports.length] ?? 0
      const protocol = index % 4 < 2 ? 2 : 3
      const actor = await Actor.throughGateway(port, protocol, index === clients - 1, this.#recorder, this.#random.fork())
      actors.push({ actor, isClient: true })
    }
    for (let index = 0; index < writers; index++)
      actors.push({ actor: await Actor.behind(this.#redis.port, this.#recorder, this.#random.fork()), isClient: false })
    return actors
  }

  /** One of the source's connections is lost, or the cache's thread stalls. */
  async #faults(end: number): Promise<void> {
    const random = this.#random.fork()
    const { stalenessMs } = this.#plan
    using direct = await RespClient.connect(this.#redis.port)
    for (;;) {
      const pause = random.between(150, 700)
      if (performance.now() + pause > end) return
      await sleep(pause)
      if (random.chance(0.4)) await killOne(direct, random.pick(['baton-hears', 'baton-reads', 'baton-aside']))
      else this.#side.send({ is: 'stall', ms: random.chance(0.25) ? stalenessMs * (1 + random.next()) : random.between(5, 80) })
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
    await until(
      async () => (await this.#side.dump()).live,
      () => 'the cache did not come back',
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
        const now = await valueOf(direct, name)
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

async function valueOf(direct: RespClient, name: string): Promise<unknown> {
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
