/** What clients do in a run: through the gateways and behind baton's back, drawn from a seed, everything recorded for the judge. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RespClient, RespError, type Value } from '../../kit/resp-client.ts'
import { notAnswered, notQueued, type Operation } from './judge.ts'
import type { Random } from './random.ts'

export const strings = ['s0', 's1', 's2', 's3', 's4', 's5'] as const
export const counters = ['c0', 'c1'] as const
export const hashes = ['h0', 'h1', 'h2', 'h3'] as const
/** Written behind baton's back alone: what is read of them is right only if it was told. */
const foreign = ['q0', 'q1', 'q2', 'q3'] as const
const own = [...strings, ...counters, ...hashes] as const
export const names = [...own, ...foreign] as const
const fields = ['f0', 'f1', 'f2'] as const

/** Keys that it does not declare, nor touch in the order of its words. */
const script = "redis.call('SET', ARGV[1], ARGV[2]) redis.call('HSET', ARGV[3], ARGV[4], ARGV[2]) return redis.call('EXISTS', ARGV[1])"
/** More than the gateway takes whole. */
const longBytes = 70_000

export class Recorder {
  readonly operations: Operation[] = []
  readonly addresses: string[] = []
  /** Redis's clock minus this process's. */
  offsetMs = 0
  #unique = 0

  /** Redis's clock, ms. */
  now(): number {
    return performance.timeOrigin + performance.now() + this.offsetMs
  }

  unique(): string {
    this.#unique += 1
    return `u${this.#unique}`
  }

  /** The reply that took the least time tells the most. */
  async calibrate(client: RespClient): Promise<void> {
    let least = Number.POSITIVE_INFINITY
    for (let round = 0; round < 50; round++) {
      const before = performance.timeOrigin + performance.now()
      const reply = await client.call('TIME')
      const took = performance.timeOrigin + performance.now() - before
      if (took >= least || !Array.isArray(reply)) continue
      least = took
      this.offsetMs = Number(reply[0]) * 1_000 + Number(reply[1]) / 1_000 - before - took / 2
    }
  }
}

/** One connection, which does one thing after the other. */
export class Actor {
  readonly #client: RespClient
  readonly #recorder: Recorder
  readonly #random: Random
  readonly #connection: number | null
  /** Its SWAPDB is seen by the heartbeat alone: Redis tells nobody of it. */
  readonly #isOpaque: boolean
  #turn = 0

  private constructor(client: RespClient, recorder: Recorder, random: Random, connection: number | null, isOpaque: boolean) {
    this.#isOpaque = isOpaque
    this.#client = client
    this.#recorder = recorder
    this.#random = random
    this.#connection = connection
  }

  static async throughGateway(port: number, protocol: 2 | 3, isOpaque: boolean, recorder: Recorder, random: Random): Promise<Actor> {
    const client = await RespClient.connect(port, protocol)
    const info = await client.call('CLIENT', 'INFO')
    const connection = recorder.addresses.push(/ addr=(\S+)/.exec(String(info))?.[1] ?? '') - 1
    if (isOpaque) await client.call('CLIENT', 'REPLY', 'ON')
    return new Actor(client, recorder, random, connection, isOpaque)
  }

  static async behind(port: number, recorder: Recorder, random: Random): Promise<Actor> {
    return new Actor(await RespClient.connect(port), recorder, random, null, false)
  }

  get closed(): boolean {
    return this.#client.closed
  }

  close(): void {
    this.#client[Symbol.dispose]()
  }

  /** Until the moment, or until its connection is lost. */
  async act(until: number, pauseMs: number, next: () => Promise<void>): Promise<void> {
    while (performance.now() < until && !this.#client.closed) {
      await next()
      const pause = this.#random.next() * pauseMs
      if (pause > 0.5) await sleep(pause)
    }
  }

  /** Mostly reads. */
  async client(): Promise<void> {
    const random = this.#random
    const drawn = random.next()
    if (drawn < 0.78) await this.#send([this.#read()])
    else if (drawn < 0.81) await this.#send([this.#write()])
    else if (drawn < 0.91) await this.#send([this.#read(), this.#read(), this.#read()])
    else if (drawn < 0.94) await this.#writeThenRead()
    else if (drawn < 0.955)
      await this.#transaction(random.chance(0.5) ? [this.#read(), this.#write(), this.#read()] : [this.#write(), this.#write()])
    else if (drawn < 0.98) await this.#watched()
    else if (drawn < 0.99) await this.#scripted()
    else if (drawn < 0.998) await this.#elsewhere()
    else await this.#send([this.#rare()])
  }

  /** Waits for nobody: where something is held up, its reads go on. */
  async reader(): Promise<void> {
    await this.#send(Array.from({ length: this.#random.between(1, 2) }, () => this.#read()))
  }

  /** Changes things, and never looks. */
  async writer(): Promise<void> {
    const random = this.#random
    if (random.chance(0.015)) await this.#send([this.#rare()])
    else if (random.chance(0.1)) await this.#scripted()
    else if (random.chance(0.3)) await this.#send([this.#write(random.pick(foreign))])
    else await this.#send(Array.from({ length: random.between(1, 3) }, () => this.#write()))
  }

  #read(name: string = this.#random.pick(names)): string[] {
    const random = this.#random
    const isHash = name.startsWith('h')
    switch (random.below(isHash ? 6 : 5)) {
      case 0:
        return isHash ? ['HGET', name, random.pick(fields)] : ['GET', name]
      case 1:
        return isHash ? ['HGETALL', name] : ['GET', name]
      case 2:
        return [random.pick(['TTL', 'PTTL'] as const), name]
      case 3:
        return ['EXISTS', name, ...(random.chance(0.5) ? [random.pick(names)] : [])]
      case 4:
        return isHash ? ['HMGET', name, random.pick(fields), random.pick(fields)] : ['MGET', name, random.pick(strings)]
      default:
        return ['HGETALL', name]
    }
  }

  #write(name: string = this.#random.pick(own)): string[] {
    const random = this.#random
    if (random.chance(0.1)) return this.#moves(name)
    if (name.startsWith('c')) return ['INCR', name]
    const unique = this.#recorder.unique()
    if (name.startsWith('h')) return random.chance(0.15) ? ['HDEL', name, random.pick(fields)] : ['HSET', name, random.pick(fields), unique]
    switch (random.below(8)) {
      case 0:
        return ['SET', name, unique, 'PX', String(random.between(20, 600))]
      case 1:
        return ['DEL', name]
      case 2:
        // never one that nobody else writes
        if (name.startsWith('q')) return ['SET', name, unique]
        return ['MSET', name, unique, random.pick(strings), unique]
      case 3:
        return ['SET', name, random.chance(0.05) ? unique.padEnd(longBytes, 'x') : unique]
      default:
        return ['SET', name, unique]
    }
  }

  /** What changes where a value is, or for how long. */
  #moves(name: string): string[] {
    const random = this.#random
    switch (random.below(5)) {
      case 0:
        return ['RENAME', name, random.pick(strings)]
      case 1:
        return ['COPY', name, random.pick(strings), 'REPLACE']
      case 2:
        return ['PERSIST', name]
      case 3:
        return ['UNLINK', name]
      default:
        return ['PEXPIRE', name, String(random.between(20, 600))]
    }
  }

  #rare(): string[] {
    const random = this.#random
    switch (random.below(4)) {
      case 0:
        return ['FLUSHDB']
      case 1:
        return this.#isOpaque ? ['FLUSHDB'] : ['SWAPDB', '0', '1']
      case 2:
        return ['COPY', random.pick(own), random.pick(own), 'DB', '1', 'REPLACE']
      default:
        return ['DEL', ...strings]
    }
  }

  async #writeThenRead(): Promise<void> {
    const name = this.#random.pick(own)
    const write = this.#write(name)
    await this.#send(this.#random.chance(0.5) ? [write, this.#read(name)] : [this.#read(name), write, this.#read(name), this.#read()])
  }

  async #scripted(): Promise<void> {
    const random = this.#random
    const words = ['EVAL', script, '0', random.pick(strings), this.#recorder.unique(), random.pick(hashes), random.pick(fields)]
    const [, , , name = ''] = words
    if (random.chance(0.2)) await this.#transaction([words, this.#read(name)])
    else await this.#send(random.chance(0.3) ? [words, this.#read(name)] : [words])
  }

  /** In another database and back. */
  async #elsewhere(): Promise<void> {
    const name = this.#random.pick(own)
    await this.#send([['SELECT', '1'], this.#write(name), this.#read(name), ['SELECT', '0'], this.#read(name)])
  }

  /** Reads, and writes only if nobody else has written since. */
  async #watched(): Promise<void> {
    const name = this.#random.pick(strings)
    await this.#send([['WATCH', name]])
    const [seen = null] = await this.#send([['GET', name]])
    if (seen === notAnswered) return
    await this.#transaction([['SET', name, this.#recorder.unique()]], seen instanceof RespError ? undefined : seen)
  }

  async #send(commands: readonly string[][]): Promise<Value[]> {
    const sent = this.#recorder.now()
    let db = 0
    const operations = commands.map((words) => {
      if (words[0] === 'SELECT') db = Number(words[1])
      return this.#record(words, db, sent)
    })
    const replies = this.#client.pipeline(commands)
    void replies.catch(() => {})
    try {
      await this.#receive(operations, replies)
    } catch {
      // the connection was lost: the operations stay unanswered
    }
    return operations.map(({ reply }) => reply)
  }

  async #receive(operations: readonly Operation[], replies: Promise<Value[]>): Promise<void> {
    const all = await replies
    const received = this.#recorder.now()
    for (const [at, operation] of operations.entries()) {
      operation.reply = all[at] ?? null
      operation.received = received
    }
  }

  async #transaction(commands: readonly string[][], watched?: Value): Promise<void> {
    const sent = this.#recorder.now()
    const operations = commands.map((words) => this.#record(words, 0, sent, { watched }))
    const all = await this.#client.pipeline([['MULTI'], ...commands, ['EXEC']]).catch(() => null)
    if (all === null) return
    const received = this.#recorder.now()
    const results = all.at(-1)
    for (const [at, operation] of operations.entries()) {
      operation.received = received
      operation.ran = Array.isArray(results)
      operation.reply = all[at + 1] !== 'QUEUED' ? notQueued : Array.isArray(results) ? (results[at] ?? null) : null
    }
  }

  #record(words: readonly string[], db: number, sent: number, transaction?: { readonly watched: Value | undefined }): Operation {
    this.#turn += 1
    const operation: Operation = {
      words,
      connection: this.#connection,
      db,
      turn: this.#turn,
      sent,
      received: Number.POSITIVE_INFINITY,
      reply: notAnswered,
      queued: transaction !== undefined,
      ran: transaction === undefined,
      watched: transaction?.watched,
      at: null,
    }
    this.#recorder.operations.push(operation)
    return operation
  }
}
