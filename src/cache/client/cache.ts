/**
 * `baton-proxy/cache`: an app's own cache in front of its Redis, which baton fills and keeps written.
 *
 *     const cache = createCache({ max: 50_000 })
 *     http.createServer((req, res) => cache.handle(req, res) || app(req, res))
 *     await cache.get(key, (key) => redis.get(key))
 *     await cache.write(key, () => redis.set(key, value))
 *
 * What an app loads by itself is never put into the map: only baton hears when it changes.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { realWorld, type World } from '../../world.ts'
import { limits } from '../push/wire.ts'
import type { Bytes, MapSize } from './map.ts'
import { type Key, nameOf } from './name.ts'
import { Receiver } from './receiver.ts'

export type { Key, MapSize }

export type CacheOptions = MapSize & {
  /** Of the endpoint; `versions.NAME.push` of baton's configuration. Default: `/baton/cache`. */
  readonly path?: string
  /**
   * Who may write the map. Default: who connects from this machine (or by a Unix socket), and is not a client of a proxy: baton's own
   * batches come straight from baton.
   */
  readonly admits?: (request: IncomingMessage) => boolean
  /** For tests of what has to do with time. */
  readonly world?: Pick<World, 'elapsed' | 'after'>
}

export interface CacheCounts {
  readonly hits: number
  readonly misses: number
  /** Batches that were received, taken or not. */
  readonly batches: number
  /** Keys in the map. */
  readonly keys: number
  /** Whether baton keeps the map written; else everything is a miss. */
  readonly live: boolean
}

const bodyMs = 10_000

export function createCache(options: CacheOptions): Cache {
  return new Cache(options)
}

export class Cache {
  readonly #receiver: Receiver
  readonly #path: string
  readonly #admits: (request: IncomingMessage) => boolean
  readonly #world: Pick<World, 'elapsed' | 'after'>
  #hits = 0
  #misses = 0
  #batches = 0

  constructor({ path = '/baton/cache', admits = comesFromHere, world = realWorld, ...size }: CacheOptions) {
    this.#path = path
    this.#admits = admits
    this.#world = world
    this.#receiver = new Receiver(size, randomUUID(), world)
  }

  /** Redis's GET. */
  async get<K extends Key>(key: K, load: (key: K) => Promise<string | null>): Promise<string | null> {
    const payload = this.#receiver.look(nameOf(key))
    if (payload === undefined || payload.is === 'hash') return this.#missed(load(key))
    this.#hits += 1
    return payload.is === 'absent' ? null : textOf(payload.value)
  }

  /** Redis's GET, as bytes of the caller's own. */
  async getBuffer<K extends Key>(key: K, load: (key: K) => Promise<Buffer | null>): Promise<Buffer | null> {
    const payload = this.#receiver.look(nameOf(key))
    if (payload === undefined || payload.is === 'hash') return this.#missed(load(key))
    this.#hits += 1
    return payload.is === 'absent' ? null : Buffer.from(payload.value)
  }

  /** Redis's HGETALL. */
  async hgetall<K extends Key>(key: K, load: (key: K) => Promise<Record<string, string>>): Promise<Record<string, string>> {
    const payload = this.#receiver.look(nameOf(key))
    if (payload === undefined || payload.is === 'value') return this.#missed(load(key))
    this.#hits += 1
    return payload.is === 'absent' ? {} : Object.fromEntries(payload.fields.map(([field, value]) => [textOf(field), textOf(value)]))
  }

  /**
   * A write of the app's own to these keys: whoever reads one of them through this cache after it has returned finds it, or what came after
   * it. One that failed may have been executed all the same, then or later: the keys are loaded anew.
   */
  async write<Result>(keys: Key | readonly Key[], run: () => Promise<Result>): Promise<Result> {
    const names = typeof keys === 'string' || keys instanceof Uint8Array ? [nameOf(keys)] : keys.map(nameOf)
    const fence = this.#receiver.begin(names)
    try {
      return await run()
    } finally {
      this.#receiver.end(fence)
    }
  }

  /** False: the request is not for the cache. Before anything else reads its body. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method !== 'POST' || request.url !== this.#path) return false
    if (this.#admits(request)) this.#collect(request, response)
    else refuse(response, 403)
    return true
  }

  get counts(): CacheCounts {
    const live = this.#receiver.isLeased(this.#world.elapsed())
    return { hits: this.#hits, misses: this.#misses, batches: this.#batches, keys: this.#receiver.size, live }
  }

  #missed<Value>(loading: Promise<Value>): Promise<Value> {
    this.#misses += 1
    return loading
  }

  #collect(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    let bytes = 0
    const timer = this.#world.after(bodyMs, () => request.destroy())
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= limits.batchBytes) chunks.push(chunk)
      else if (!response.headersSent) refuse(response, 413)
    })
    request.on('close', () => timer.cancel())
    // a body that was cut off is no batch, and baton says it again
    request.on('error', () => response.destroy())
    request.on('end', () => {
      if (response.headersSent) return
      this.#batches += 1
      const answer = this.#receiver.receive(Buffer.concat(chunks))
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) })
      response.end(answer)
    })
  }
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0, connection: 'close' })
  response.end()
}

/** A proxy says so in what it passes on, baton too: a client of the app cannot write the map through it. */
function comesFromHere({ socket, headers }: IncomingMessage): boolean {
  const isForwarded = ['via', 'forwarded', 'x-forwarded-for'].some((name) => headers[name] !== undefined)
  const from = socket.remoteAddress
  return !isForwarded && (from === undefined || from === '::1' || /^(::ffff:)?127\./.test(from))
}

function textOf(value: Bytes): string {
  return typeof value === 'string' ? value : value.toString()
}
