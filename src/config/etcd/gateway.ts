/**
 * etcd over its JSON gateway: `/v3/` paths, base64 in JSON, watches as one line of JSON a message (etcd 3.4 and later;
 * etcd.io/docs/v3.5/dev-guide/api_grpc_gateway). Why not gRPC: docs/decisions/0011-etcd-json-gateway.md.
 *
 * Endpoints are asked in turn: one that cannot be reached, does not answer in time or has no leader is left for the next.
 */
import type { Readable } from 'node:stream'
import { Pool } from 'undici'
import { BatonError, errorCode, errorMessage } from '../../errors.ts'
import type { World } from '../../world.ts'
import { base64, comparisonOf, entryOf, headerOf, type Json, listOf, mappingOf, parse, rangeOf, requestOf, textOf } from './gateway-json.ts'
import { GatewayWatch } from './gateway-watch.ts'
import { causeOf, EtcdRefusal, failureOf } from './refusal.ts'
import type { Listing, Store, Unchanged, Watch, Watcher, Write } from './store.ts'

export interface GatewaySettings {
  /** `http://host:port` or `https://host:port`. */
  readonly endpoints: readonly string[]
  /** The password is asked for at each login, so that a changed one is found. */
  readonly login: { readonly user: string; password(): Promise<string> } | null
  /** PEM; null is the system's own authorities, or no certificate. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null } | null
  readonly timeouts?: Partial<GatewayTimeouts>
}

export interface GatewayTimeouts {
  readonly connectMs: number
  /** Of one endpoint, from the question to the end of its answer. */
  readonly answerMs: number
}

const defaultTimeouts: GatewayTimeouts = { connectMs: 1_000, answerMs: 3_000 }

/** etcd's own limit on a request is 1.5 MiB, which base64 makes 2 MiB; a listing holds many. */
const lineBytes = 8 << 20
const answerBytes = 64 << 20

/** What a connection says that was closed while it waited; every request may be said twice. */
const stale: readonly string[] = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']

export class EtcdGateway implements Store {
  readonly #settings: GatewaySettings
  readonly #timeouts: GatewayTimeouts
  readonly #world: Pick<World, 'after' | 'random'>
  readonly #pools: readonly Pool[]
  readonly #watches = new Set<GatewayWatch>()
  readonly #closing = new AbortController()
  /** Which endpoint is asked first. */
  #turn = 0
  #token: string | null = null

  constructor(settings: GatewaySettings, world: Pick<World, 'after' | 'random'>) {
    this.#settings = settings
    this.#world = world
    this.#timeouts = { ...defaultTimeouts, ...settings.timeouts }
    const { ca, cert, key } = settings.tls ?? { ca: null, cert: null, key: null }
    const tls = { ...(ca === null ? {} : { ca }), ...(cert === null ? {} : { cert }), ...(key === null ? {} : { key }) }
    this.#pools = settings.endpoints.map(
      (endpoint) =>
        new Pool(endpoint, {
          connect: { timeout: this.#timeouts.connectMs, ...tls },
          // A watch has a connection of its own for as long as it lasts.
          connections: 8,
          pipelining: 1,
          headersTimeout: 0,
          bodyTimeout: 0,
        }),
    )
    // A fleet that starts at once spreads over the members.
    this.#turn = Math.floor(world.random() * this.#pools.length)
  }

  async get(key: string) {
    const { header, entries } = await this.#range({ key: base64(key) })
    return { header, entry: entries[0] ?? null }
  }

  list(prefix: string, { keysOnly = false }: { readonly keysOnly?: boolean } = {}): Promise<Listing> {
    return this.#range({ ...rangeOf(prefix), ...(keysOnly ? { keys_only: true } : {}) })
  }

  async commit(unchanged: readonly Unchanged[], writes: readonly Write[]) {
    const request = { compare: unchanged.map(comparisonOf), success: writes.map(requestOf) }
    return await this.#ask('/v3/kv/txn', request, (answer) => ({ header: headerOf(answer), done: answer.succeeded === true }))
  }

  watch(what: { readonly key: string } | { readonly prefix: string }, revision: number, watcher: Watcher): Watch {
    const range = 'key' in what ? { key: base64(what.key) } : rangeOf(what.prefix)
    const watch = new GatewayWatch(watcher, () => this.#watches.delete(watch))
    this.#watches.add(watch)
    // `fragment`: what many keys changed at once may be more than one message holds.
    const create = { create_request: { ...range, start_revision: String(revision), fragment: true } }
    this.#open('/v3/watch', create, watch.signal).then(
      (body) => watch.follow(body),
      (error: unknown) => watch.end({ is: 'lost', reason: errorMessage(error) }),
    )
    return watch
  }

  async grant(ttlMs: number): Promise<string> {
    return await this.#ask('/v3/lease/grant', { TTL: String(Math.ceil(ttlMs / 1000)) }, ({ ID }) => textOf(ID))
  }

  async keepAlive(lease: string): Promise<number> {
    return await this.#ask('/v3/lease/keepalive', { ID: lease }, ({ result }) => {
      const { ID, TTL } = mappingOf(result)
      return textOf(ID) === lease && TTL !== undefined ? Number(TTL) * 1000 : 0
    })
  }

  async revoke(lease: string): Promise<void> {
    await this.#ask('/v3/lease/revoke', { ID: lease }, headerOf)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const watch of this.#watches) watch.close()
    await Promise.all(this.#pools.map((pool) => pool.destroy()))
  }

  async #range(request: Json): Promise<Listing> {
    return await this.#ask('/v3/kv/range', request, (answer) => ({ header: headerOf(answer), entries: listOf(answer.kvs).map(entryOf) }))
  }

  /** What cannot be read is no etcd's, and another endpoint's may be. */
  async #ask<T>(path: string, request: Json, read: (answer: Json) => T): Promise<T> {
    return await this.#inTurn(path, (pool) =>
      this.#inTime(async (late) => {
        const { statusCode, body } = await this.#send(pool, path, request, AbortSignal.any([this.#closing.signal, late]))
        const text = await textWithin(body, answerBytes)
        const answer = statusCode === 200 ? parse(text) : null
        if (answer === null || answer.error !== undefined) throw failureOf(statusCode, text)
        return read(answer)
      }),
    )
  }

  /** The body of an answer that goes on until `signal`; its head comes with the first message, since etcd says at once that there is a watch. */
  async #open(path: string, request: Json, signal: AbortSignal): Promise<Readable> {
    return await this.#inTurn(path, (pool) =>
      this.#inTime(async (late) => {
        const { statusCode, body } = await this.#send(pool, path, request, AbortSignal.any([this.#closing.signal, signal, late]))
        if (statusCode === 200) return body
        throw failureOf(statusCode, await textWithin(body, lineBytes))
      }),
    )
  }

  async #inTime<T>(ask: (late: AbortSignal) => Promise<T>): Promise<T> {
    const { answerMs } = this.#timeouts
    const late = new AbortController()
    const timer = this.#world.after(answerMs, () => late.abort(new Error(`no answer within ${answerMs} ms`)))
    try {
      return await ask(late.signal)
    } finally {
      timer.cancel()
    }
  }

  async #send(pool: Pool, path: string, request: Json, signal: AbortSignal) {
    const token = await this.#login(pool, signal)
    return await this.#post(pool, path, request, token, signal)
  }

  #post(pool: Pool, path: string, request: Json, token: string | null, signal: AbortSignal) {
    return pool.request({
      method: 'POST',
      path,
      // A member that has lost its leader says so instead of keeping still.
      headers: {
        'content-type': 'application/json',
        'grpc-metadata-hasleader': 'true',
        ...(token === null ? {} : { authorization: token }),
      },
      body: JSON.stringify(request),
      signal,
    })
  }

  async #login(pool: Pool, signal: AbortSignal): Promise<string | null> {
    const { login } = this.#settings
    if (login === null || this.#token !== null) return this.#token
    const { statusCode, body } = await this.#post(
      pool,
      '/v3/auth/authenticate',
      { name: login.user, password: await login.password() },
      null,
      signal,
    )
    const text = await textWithin(body, lineBytes)
    if (statusCode !== 200) throw failureOf(statusCode, text)
    this.#token = textOf(parse(text).token)
    return this.#token
  }

  /** Each endpoint once; once more where the token had ended, and where a kept connection had. */
  async #inTurn<T>(path: string, ask: (pool: Pool) => Promise<T>): Promise<T> {
    const reasons: string[] = []
    let renewed = false
    let reconnected = false
    const first = this.#turn
    for (let tries = 0; tries < this.#pools.length; ) {
      if (this.#closing.signal.aborted) throw new BatonError('unreachable', 'the connection to etcd is closed')
      const at = (first + tries) % this.#pools.length
      const pool = this.#pools[at]
      const endpoint = this.#settings.endpoints[at] ?? ''
      if (pool === undefined) break
      try {
        return await ask(pool)
      } catch (error) {
        if (error instanceof EtcdRefusal) {
          if (error.tokenEnded && this.#settings.login !== null && !renewed) {
            renewed = true
            this.#token = null
            continue
          }
          if (!error.elsewhere) throw new BatonError('denied', `etcd ${endpoint}${path}: ${this.#explained(error)}`, error)
        }
        if (stale.includes(errorCode(error)) && !reconnected) {
          reconnected = true
          continue
        }
        reasons.push(`${endpoint}: ${causeOf(error)}`)
        tries++
        // unless another question has moved it on: of two that fail at once, the second would pass over the next endpoint
        if (this.#turn === at) this.#turn = (at + 1) % this.#pools.length
      }
    }
    throw new BatonError('unreachable', `etcd cannot be reached: ${reasons.join('; ')}`)
  }

  /** etcd knows a user by the common name of a certificate over gRPC alone, and its own words do not tell what to do. */
  #explained(error: EtcdRefusal): string {
    const { login, tls } = this.#settings
    const commonName = 'common-name authentication by a client certificate does not work through the JSON gateway'
    const user = 'give bootstrap.config.etcd.user and passwordFile'
    if (error.commonName) return `${error.message}: ${commonName}; ${user}, and a certificate without a common name`
    if (login !== null || !error.unknownUser) return error.message
    return `${error.message}: etcd asks who writes; ${tls?.cert ? `${commonName}; ` : ''}${user}`
  }
}

async function textWithin(body: Readable, bytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += (chunk as Buffer).length
    if (size > bytes) throw new Error(`an answer of more than ${bytes} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}
