/**
 * HTTP/1.1 to the app through undici's dispatch, in its lowest-overhead form: one handler object a call, raw header lists, no promises.
 * All deadlines but the connection's are the exchange's own, so undici's timers are off.
 */
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import type { buildConnector as BuildConnector, Dispatcher, Pool as PoolClass, errors as UndiciErrors } from 'undici'
import { errorCode, errorMessage, Fault } from '../../errors.ts'
import type { Raw } from '../../routing/route.ts'
import type { Answer, Call, Endpoint, Sent, Transport, UpstreamHead } from './transport.ts'
import type { TransportSettings } from './transport-settings.ts'
import { openWebSocket, type TunnelCall } from './websocket.ts'

// Three files of the package in place of all of it: fetch, caches and WebSockets would cost 8 MB and 40 ms. The version is pinned exactly.
const load = createRequire(import.meta.url)
const Pool: typeof PoolClass = load('undici/lib/dispatcher/pool.js')
const buildConnector: typeof BuildConnector = load('undici/lib/core/connect.js')
const undiciErrors: typeof UndiciErrors = load('undici/lib/core/errors.js')

export function createUndiciTransport(endpoint: Endpoint, settings: TransportSettings): Transport {
  return new UndiciTransport(endpoint, settings)
}

class UndiciTransport implements Transport {
  readonly #pool: PoolClass
  readonly #endpoint: Endpoint
  readonly #connectMs: number
  readonly #tunnels = new Set<TunnelCall>()

  constructor(endpoint: Endpoint, settings: TransportSettings) {
    this.#endpoint = endpoint
    this.#connectMs = settings.connectMs
    this.#pool = new Pool(originOf(endpoint), {
      connect: this.#connector(settings.connectMs),
      connections: settings.connections,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: settings.keepAliveMs,
      keepAliveMaxTimeout: settings.keepAliveMs,
      maxHeaderSize: settings.maxHeaderBytes,
    })
  }

  /** A connection was just reset: true until undici has told its call. */
  resetting = false

  get connections(): number {
    return this.#pool.stats.connected + this.#tunnels.size
  }

  open(head: UpstreamHead, answer: Answer): Call {
    if (head.upgrade === null) return new UndiciCall(this.#pool, this, head, answer)
    const call = openWebSocket(this.#endpoint, this.#connectMs, head, answer, () => this.#tunnels.delete(call))
    this.#tunnels.add(call)
    return call
  }

  /** undici takes a reset for the end of a body that ends with its connection; our listener hears of it first. */
  #connector(connectMs: number): BuildConnector.connector {
    const socketPath = this.#endpoint.is === 'unix' ? { socketPath: this.#endpoint.path } : {}
    const connect = buildConnector({ timeout: connectMs, ...socketPath })
    return (options, done) =>
      connect(options, (...result) => {
        result[1]?.on('error', () => {
          this.resetting = true
          queueMicrotask(() => {
            this.resetting = false
          })
        })
        done(...result)
      })
  }

  async close(): Promise<void> {
    // a call whose small body is still being gathered reaches the pool within this turn of the event loop
    await new Promise((resolve) => setImmediate(resolve))
    await this.#pool.close()
  }

  destroy(): void {
    const fault = new Fault('stopping', 'connections to the version are cut')
    for (const call of this.#tunnels) call.cut(fault)
    this.#pool.destroy(new Error(fault.detail)).catch(() => {
      // the pool was destroyed before: nothing is left to cut
    })
  }
}

function originOf(endpoint: Endpoint): string {
  if (endpoint.is === 'unix') return 'http://localhost'
  return endpoint.address.includes(':') ? `http://[${endpoint.address}]:${endpoint.port}` : `http://${endpoint.address}:${endpoint.port}`
}

type Controller = Dispatcher.DispatchController & { readonly rawHeaders?: readonly Buffer[]; readonly rawTrailers?: readonly Buffer[] }

/** A body up to this size that comes together with its head is sent in one write; as a stream it would cost a fifth more. */
const gatheredBytes = 65_536

class UndiciCall implements Call {
  readonly #pool: PoolClass
  readonly #transport: { readonly resetting: boolean }
  readonly #head: UpstreamHead
  readonly #answer: Answer
  /** What has come of a small body before the call is dispatched; null once it is, or if it is not waited for. */
  #gathered: Uint8Array[] | null = null
  #body: RequestBody | null = null
  #answerBegun = false
  #headWhole = false
  #controller: Controller | null = null
  #aborted: Fault | null = null
  #ended = false
  #opened = false

  constructor(pool: PoolClass, transport: { readonly resetting: boolean }, head: UpstreamHead, answer: Answer) {
    this.#pool = pool
    this.#transport = transport
    this.#head = head
    this.#answer = answer
    this.#ended = head.body === 'none'
    if (typeof head.body === 'number' && head.body <= gatheredBytes && !head.expectContinue) this.#gather()
    else {
      this.#body = head.body === 'none' ? null : new RequestBody(answer, false)
      this.#dispatch(this.#body)
    }
    this.#opened = true
  }

  write(bytes: Uint8Array): boolean {
    if (this.#gathered === null) return this.#body === null || this.#body.push(bytes)
    this.#gathered.push(bytes)
    return true
  }

  end(): void {
    this.#ended = true
    if (this.#gathered === null) this.#body?.push(null)
    else this.#dispatchGathered(this.#gathered)
  }

  #dispatch(body: Buffer | Readable | null): void {
    const { target, method, raw } = this.#head
    this.#pool.dispatch({ path: target, method: method as Dispatcher.HttpMethod, headers: raw as string[], body }, this)
  }

  /** What came with the head is here within this turn of the event loop; what did not is streamed. */
  #gather(): void {
    this.#gathered = []
    process.nextTick(askForBody, this)
    setImmediate(streamGathered, this)
  }

  #dispatchGathered(chunks: readonly Uint8Array[]): void {
    this.#gathered = null
    const [first] = chunks
    if (this.#aborted === null) this.#dispatch(chunks.length === 1 && Buffer.isBuffer(first) ? first : Buffer.concat(chunks))
  }

  ask(): void {
    if (this.#aborted === null) this.#answer.wanted()
  }

  /** The rest of the body is still to come. */
  stream(): void {
    const chunks = this.#gathered
    if (chunks === null || this.#aborted !== null) return
    this.#gathered = null
    this.#body = new RequestBody(this.#answer, true)
    for (const bytes of chunks) this.#body.push(bytes)
    this.#dispatch(this.#body)
  }

  resume(): void {
    this.#controller?.resume()
  }

  abort(fault: Fault): void {
    if (this.#aborted !== null) return
    this.#aborted = fault
    this.#controller?.abort(new Error(fault.detail))
    this.#body?.destroy()
  }

  // undici's handler

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller as Controller
    if (this.#aborted !== null) controller.abort(new Error(this.#aborted.detail))
  }

  onResponseStarted(): void {
    this.#answerBegun = true
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, _headers: unknown, reason?: string): void {
    if (this.#aborted !== null) return
    const raw = textOf(this.#controller?.rawHeaders)
    if (status < 200) return this.#answer.inform(status, raw)
    this.#headWhole = true
    this.#answer.respond(status, reason ?? '', raw)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // undici gives an empty chunk after each resume; passed on, it would be a system call for nothing
    if (chunk.length > 0 && this.#aborted === null && !this.#answer.chunk(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    if (this.#aborted !== null) return
    if (this.#transport.resetting) return this.onResponseError(null, new Error('reset within the body'))
    const raw = this.#controller?.rawTrailers
    this.#answer.end(raw === undefined || raw === null || raw.length === 0 ? null : textOf(raw))
    // an answer that came before the request's end: undici drops that connection, the rest of the body goes nowhere
    if (!this.#ended) this.#body?.destroy()
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: unknown): void {
    if (this.#aborted !== null) return
    // what undici refuses at once must not reach the exchange before it has the call
    if (!this.#opened) return queueMicrotask(() => this.onResponseError(_, error))
    this.#aborted = faultOf(error, this.#controller !== null, this.#answerBegun && !this.#headWhole)
    this.#body?.destroy()
    this.#answer.failed(this.#aborted, this.#sent())
  }

  /** undici hands over its controller just before the head's first byte leaves. */
  #sent(): Sent {
    if (this.#controller === null) return 'nothing'
    return this.#ended ? 'all' : 'part'
  }
}

// one function each for all calls: no closure a request

function askForBody(call: UndiciCall): void {
  call.ask()
}

function streamGathered(call: UndiciCall): void {
  call.stream()
}

/** What undici reads the request's body from; it asks for the client's bytes when undici asks for its own. */
class RequestBody extends Readable {
  readonly #answer: Answer
  #begun: boolean

  /** `begun`: the client was asked already. */
  constructor(answer: Answer, begun: boolean) {
    super({ highWaterMark: 65536 })
    this.#answer = answer
    this.#begun = begun
    // undici destroys its body with the error that the exchange hears of through `failed`
    this.on('error', ignore)
  }

  override _read(): void {
    if (this.#begun) this.#answer.writable()
    else {
      this.#begun = true
      this.#answer.wanted()
    }
  }
}

function ignore(): void {}

/** Field names and values as the app sent them: bytes as Latin-1, as node:http reads and writes them. */
function textOf(raw: readonly Buffer[] | undefined | null): Raw {
  const text: string[] = []
  if (raw === undefined || raw === null) return text
  for (const bytes of raw) text.push(bytes.toString('latin1'))
  return text
}

function faultOf(error: unknown, begun: boolean, withinHead: boolean): Fault {
  if (error instanceof undiciErrors.ConnectTimeoutError) return new Fault('connect-timeout', 'no connection to the version in time', error)
  if (error instanceof undiciErrors.InvalidArgumentError) return new Fault('internal', errorMessage(error), error)
  if (!begun) return new Fault('connect-failed', `no connection to the version: ${errorCode(error) || errorMessage(error)}`, error)
  if (error instanceof undiciErrors.HTTPParserError) return new Fault('upstream-protocol', `unreadable response: ${error.message}`, error)
  if (error instanceof undiciErrors.HeadersOverflowError) return new Fault('upstream-protocol', 'response head too large', error)
  // part of a head has come, so the version has acted on the request
  if (withinHead) return new Fault('upstream-protocol', `response cut: ${errorMessage(error)}`, error)
  if (error instanceof undiciErrors.ResponseContentLengthMismatchError) return new Fault('upstream-reset', 'response body cut', error)
  return new Fault('upstream-reset', `connection to the version lost: ${errorMessage(error)}`, error)
}
