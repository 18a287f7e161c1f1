/**
 * etcd over its JSON gateway: `/v3/` paths, base64 in JSON, watches as one line of JSON a message (etcd 3.4 and later;
 * etcd.io/docs/v3.5/dev-guide/api_grpc_gateway). Why not gRPC: docs/decisions/0011-etcd-json-gateway.md.
 *
 * Endpoints are asked in turn: one that cannot be reached, does not answer in time or has no leader is left for the next.
 */
import type { Readable } from 'node:stream'
import { Pool } from 'undici'
import { BatonError, errorMessage } from '../../errors.ts'
import type { World } from '../../world.ts'
import { LineSplitter } from './line-splitter.ts'
import type { KeyValue, Listing, Store, StoreHeader, Unchanged, Watch, WatchEvent, Watcher, Write } from './store.ts'

export interface GatewaySettings {
  /** `http://host:port` or `https://host:port`. */
  readonly endpoints: readonly string[]
  readonly login: { readonly user: string; readonly password: string } | null
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

type Json = Readonly<Record<string, unknown>>

/** gRPC's codes (google.golang.org/grpc/codes), as the gateway gives them. */
const grpc = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  failedPrecondition: 9,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
}

export class EtcdGateway implements Store {
  readonly #settings: GatewaySettings
  readonly #timeouts: GatewayTimeouts
  readonly #pools: readonly Pool[]
  readonly #watches = new Set<GatewayWatch>()
  readonly #closing = new AbortController()
  /** Which endpoint is asked first. */
  #turn = 0
  #token: string | null = null

  constructor(settings: GatewaySettings, world: Pick<World, 'random'>) {
    this.#settings = settings
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
    const answer = await this.#ask('/v3/kv/txn', {
      compare: unchanged.map(({ key, revision }) => ({ key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: String(revision) })),
      success: writes.map(requestOf),
    })
    return { header: headerOf(answer), done: answer.succeeded === true }
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
    const answer = await this.#ask('/v3/lease/grant', { TTL: String(Math.ceil(ttlMs / 1000)) })
    return textOf(answer.ID)
  }

  async keepAlive(lease: string): Promise<number> {
    const answer = await this.#ask('/v3/lease/keepalive', { ID: lease })
    const { TTL } = mappingOf(answer.result)
    return TTL === undefined ? 0 : Number(TTL) * 1000
  }

  async revoke(lease: string): Promise<void> {
    await this.#ask('/v3/lease/revoke', { ID: lease })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const watch of this.#watches) watch.close()
    await Promise.all(this.#pools.map((pool) => pool.destroy()))
  }

  async #range(request: Json): Promise<Listing> {
    const answer = await this.#ask('/v3/kv/range', request)
    return { header: headerOf(answer), entries: listOf(answer.kvs).map(entryOf) }
  }

  async #ask(path: string, request: Json): Promise<Json> {
    return await this.#inTurn(path, async (pool) => {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#timeouts.answerMs)])
      const { statusCode, body } = await this.#send(pool, path, request, signal)
      const text = await textWithin(body, answerBytes)
      const answer = parse(text)
      if (statusCode === 200 && answer.error === undefined) return answer
      throw failureOf(statusCode, answer, text)
    })
  }

  /** The body of an answer that goes on until `signal`. */
  async #open(path: string, request: Json, signal: AbortSignal): Promise<Readable> {
    return await this.#inTurn(path, async (pool) => {
      // The head comes with the first message: etcd says at once that the watch was created.
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(new Error(`no answer within ${this.#timeouts.answerMs} ms`)), this.#timeouts.answerMs)
      try {
        const both = AbortSignal.any([signal, this.#closing.signal, late.signal])
        const { statusCode, body } = await this.#send(pool, path, request, both)
        if (statusCode === 200) return body
        const text = await textWithin(body, lineBytes)
        throw failureOf(statusCode, parse(text), text)
      } finally {
        clearTimeout(timer)
      }
    })
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
      { name: login.user, password: login.password },
      null,
      signal,
    )
    const text = await textWithin(body, lineBytes)
    const answer = parse(text)
    if (statusCode !== 200) throw failureOf(statusCode, answer, text)
    this.#token = textOf(answer.token)
    return this.#token
  }

  /** Each endpoint once, and once more where the token had ended. */
  async #inTurn<T>(path: string, ask: (pool: Pool) => Promise<T>): Promise<T> {
    const reasons: string[] = []
    let renewed = false
    for (let tries = 0; tries < this.#pools.length; ) {
      if (this.#closing.signal.aborted) throw new BatonError('unreachable', 'the connection to etcd is closed')
      const pool = this.#pools[this.#turn]
      const endpoint = this.#settings.endpoints[this.#turn] ?? ''
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
        reasons.push(`${endpoint}: ${causeOf(error)}`)
        tries++
        this.#turn = (this.#turn + 1) % this.#pools.length
      }
    }
    throw new BatonError('unreachable', `etcd cannot be reached: ${reasons.join('; ')}`)
  }

  /** etcd knows a user by the common name of a certificate over gRPC alone, and what the gateway then says does not tell that. */
  #explained(error: EtcdRefusal): string {
    const { login, tls } = this.#settings
    if (login !== null || !error.unknownUser) return error.message
    const certificate = tls?.cert ? 'common-name authentication by a client certificate does not work through the JSON gateway; ' : ''
    return `${error.message}: etcd asks who writes; ${certificate}give bootstrap.config.etcd.user and passwordFile`
  }
}

class GatewayWatch implements Watch {
  readonly #watcher: Watcher
  readonly #aborting = new AbortController()
  readonly #gone: () => void
  #ended = false
  #fragments: WatchEvent[] = []

  constructor(watcher: Watcher, gone: () => void) {
    this.#watcher = watcher
    this.#gone = gone
  }

  get signal(): AbortSignal {
    return this.#aborting.signal
  }

  async follow(body: Readable): Promise<void> {
    const lines = new LineSplitter(lineBytes)
    try {
      for await (const chunk of body) {
        for (const line of lines.take(chunk as Buffer)) {
          if (this.#ended) return
          this.#heard(parse(line))
        }
      }
      this.end({ is: 'lost', reason: 'etcd ended the watch' })
    } catch (error) {
      this.end({ is: 'lost', reason: causeOf(error) })
    }
  }

  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#leave()
  }

  end(why: Parameters<Watcher['ended']>[0]): void {
    if (this.#ended) return
    this.#ended = true
    this.#leave()
    this.#watcher.ended(why)
  }

  #leave(): void {
    this.#gone()
    this.#aborting.abort()
  }

  #heard(message: Json): void {
    if (message.error !== undefined) {
      this.end({ is: 'lost', reason: String(mappingOf(message.error).message ?? 'an error without words') })
      return
    }
    const result = mappingOf(message.result)
    if (result.canceled === true) {
      const compacted = Number(result.compact_revision ?? 0) > 0
      this.end({ is: compacted ? 'compacted' : 'lost', reason: String(result.cancel_reason ?? 'etcd cancelled the watch') })
      return
    }
    this.#fragments.push(...listOf(result.events).map(eventOf))
    if (result.fragment === true || this.#fragments.length === 0) return
    const events = this.#fragments
    this.#fragments = []
    this.#watcher.changed(events, headerOf(result))
  }
}

/** etcd answered, and said no. */
class EtcdRefusal extends Error {
  readonly #code: number

  constructor(code: number, message: string) {
    super(message)
    this.#code = code
  }

  get tokenEnded(): boolean {
    return this.#code === grpc.unauthenticated || /invalid auth token|revision of auth store is old/.test(this.message)
  }

  get unknownUser(): boolean {
    return /user name is empty|user name not found|permission denied/.test(this.message)
  }

  /** Another member may say something else. */
  get elsewhere(): boolean {
    return (
      this.#code === grpc.unavailable ||
      this.#code === grpc.deadlineExceeded ||
      this.#code === grpc.internal ||
      /no leader|timed out/.test(this.message)
    )
  }
}

function failureOf(status: number, answer: Json, text: string): Error {
  // 3.4 and 3.5 say {error, message, code}; a stream {error: {grpc_code, message}}; 3.6 {code, message, details}.
  const error = typeof answer.error === 'object' && answer.error !== null ? mappingOf(answer.error) : answer
  const code = error.grpc_code ?? error.code
  const message = error.message ?? error.error
  if (typeof code === 'number' && message !== undefined) return new EtcdRefusal(code, String(message))
  return new Error(`an answer that etcd does not give: status ${status}, ${JSON.stringify(text.slice(0, 200))}`)
}

function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] !== undefined) return errorMessage(error.errors[0])
  return errorMessage(error)
}

function requestOf(write: Write): Json {
  if (write.is === 'delete') return { request_delete_range: { key: base64(write.key) } }
  const lease = write.lease === undefined || write.lease === null ? {} : { lease: write.lease }
  return { request_put: { key: base64(write.key), value: base64(write.value), ...lease } }
}

/** The keys that begin with `prefix`: up to the prefix with its last byte one higher. */
function rangeOf(prefix: string): { readonly key: string; readonly range_end: string } {
  const bytes = Buffer.from(prefix)
  let last = bytes.length - 1
  while (last >= 0 && bytes[last] === 0xff) last--
  if (last < 0) return { key: bytes.toString('base64'), range_end: Buffer.of(0).toString('base64') }
  const end = Buffer.from(bytes.subarray(0, last + 1))
  end.writeUInt8(end.readUInt8(last) + 1, last)
  return { key: bytes.toString('base64'), range_end: end.toString('base64') }
}

function eventOf(event: unknown): WatchEvent {
  const { type, kv } = mappingOf(event)
  const entry = entryOf(kv)
  return type === 'DELETE' ? { is: 'delete', key: entry.key, revision: entry.revision } : { is: 'put', entry }
}

function entryOf(kv: unknown): KeyValue {
  const { key, value, mod_revision, lease } = mappingOf(kv)
  return {
    key: plain(key),
    value: plain(value),
    revision: Number(mod_revision),
    lease: lease === undefined || lease === '0' ? null : String(lease),
  }
}

function headerOf(answer: Json): StoreHeader {
  const { cluster_id, revision } = mappingOf(answer.header)
  return { cluster: textOf(cluster_id), revision: Number(revision) }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function plain(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : ''
}

function mappingOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new Error('an answer that etcd does not give: a field is missing')
}

function parse(text: string): Json {
  try {
    return mappingOf(JSON.parse(text))
  } catch (error) {
    throw new Error(`an answer that is no JSON: ${JSON.stringify(text.slice(0, 200))}`, { cause: error })
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
