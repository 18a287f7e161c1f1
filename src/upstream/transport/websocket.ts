/**
 * WebSocket upgrades to the app through http-proxy. It is given our own Duplex in place of the client's socket; what it would write there
 * of heads is taken from the response objects instead, which keep order, case and duplicates.
 */
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type httpProxy from 'http-proxy'
import { errorCode, errorMessage, Fault } from '../../errors.ts'
import type { Answer, Call, Endpoint, Sent, UpstreamHead } from './transport.ts'

/** A call that can also be ended from the app's side. */
export interface TunnelCall extends Call {
  /** The connection is cut under it: its answer hears that it failed. */
  cut(fault: Fault): void
}

/** `ended` is called once, when the call is over by any way. */
export function openWebSocket(endpoint: Endpoint, connectMs: number, head: UpstreamHead, answer: Answer, ended: () => void): TunnelCall {
  const call = new WebSocketCall(answer, ended)
  queueMicrotask(() => call.connect(endpoint, connectMs, head))
  return call
}

/** Loaded at the first upgrade; most deployments never need it. */
function loadProxy(): typeof httpProxy {
  return createRequire(import.meta.url)('http-proxy')
}

/** Without it the app's end of one direction would end the other one too. */
function halfOpenAgent(): Agent {
  return new Agent({ keepAlive: false, allowHalfOpen: true } as ConstructorParameters<typeof Agent>[0])
}

class WebSocketCall implements TunnelCall {
  readonly #answer: Answer
  readonly #ended: () => void
  readonly #socket: TunnelSocket
  #response: IncomingMessage | null = null
  #request: ClientRequest | null = null
  #tunnel: Socket | null = null
  #connected = false
  #over = false

  constructor(answer: Answer, ended: () => void) {
    this.#answer = answer
    this.#ended = ended
    this.#socket = new TunnelSocket(answer, {
      finished: () => this.#finish(),
      broken: () => this.#fail(new Error('tunnel lost')),
    })
  }

  connect(endpoint: Endpoint, connectMs: number, head: UpstreamHead): void {
    if (this.#over) return
    const { createProxyServer } = loadProxy()
    const proxy = createProxyServer({})
    proxy.on('error', (error: unknown) => this.#fail(error))
    proxy.on('proxyReqWs', (request: ClientRequest) => this.#join(request, head))
    const target =
      endpoint.is === 'tcp' ? { host: endpoint.address, hostname: endpoint.address, port: endpoint.port } : { socketPath: endpoint.path }
    const options = { target: target as never, ignorePath: true, connectTimeout: connectMs, agent: halfOpenAgent() }
    proxy.ws(requestOf(head), this.#socket as never, Buffer.alloc(0), options as never, (error: unknown) => this.#fail(error))
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.push(bytes)
  }

  end(): void {
    this.#socket.push(null)
  }

  resume(): void {
    if (this.#response === null) this.#socket.release()
    else this.#response.resume()
  }

  cut(fault: Fault): void {
    if (this.#over) return
    this.abort()
    this.#answer.failed(fault, this.#sent())
  }

  abort(): void {
    this.#finish()
    this.#request?.destroy()
    this.#response?.destroy()
    this.#tunnel?.destroy()
    this.#socket.destroy()
  }

  /** Before http-proxy's own listeners, so that the app's head is read from the response and not from what is written of it. */
  #join(request: ClientRequest, head: UpstreamHead): void {
    this.#request = request
    request.path = head.target
    request.on('socket', (socket) => {
      socket.once('connect', () => {
        this.#connected = true
      })
    })
    request.prependListener('upgrade', (response: IncomingMessage, socket: Socket) => {
      this.#tunnel = socket
      if (this.#over) return
      this.#answer.upgraded(response.rawHeaders)
      this.#answer.wanted()
    })
    request.prependListener('response', (response: IncomingMessage) => this.#refused(response))
    request.on('information', (info) => {
      if (!this.#over && info.statusCode !== 100) this.#answer.inform(info.statusCode, info.rawHeaders)
    })
  }

  /** The app answered with an ordinary response. With its socket destroyed, http-proxy writes nothing of it. */
  #refused(response: IncomingMessage): void {
    if (this.#over) return
    this.#response = response
    this.#socket.abandon()
    this.#answer.respond(response.statusCode ?? 502, response.statusMessage ?? '', response.rawHeaders)
    response.on('data', (bytes: Buffer) => {
      if (!this.#over && !this.#answer.chunk(bytes)) response.pause()
    })
    response.on('end', () => {
      if (this.#over || !response.complete) return
      this.#finish()
      this.#answer.end(response.rawTrailers.length === 0 ? null : response.rawTrailers)
    })
    response.on('close', () => {
      if (!response.complete) this.#fail(new Error('response body cut'))
    })
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#finish()
    this.#socket.destroy()
    this.#answer.failed(faultOf(error, this.#connected), this.#sent())
  }

  #sent(): Sent {
    return this.#connected ? 'all' : 'nothing'
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#ended()
  }
}

/** Stands in for the client's socket: what http-proxy writes is the app's bytes, what it reads is the client's. */
class TunnelSocket extends Duplex {
  readonly #answer: Answer
  readonly #ends: { finished(): void; broken(): void }
  #headSeen = false
  #pending: (() => void) | null = null
  #abandoned = false
  #sides = 2

  /** `finished`: both sides have ended. `broken`: it was destroyed before the app's side had. */
  constructor(answer: Answer, ends: { finished(): void; broken(): void }) {
    super({ allowHalfOpen: true, readableHighWaterMark: 65536, writableHighWaterMark: 65536 })
    this.#answer = answer
    this.#ends = ends
    this.on('error', () => {
      // a broken app connection reaches the exchange as the tunnel's end
    })
  }

  /** http-proxy sets these on the client's socket; ours has its own. */
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  destroySoon(): void {
    this.end()
  }

  release(): void {
    const pending = this.#pending
    this.#pending = null
    pending?.()
  }

  abandon(): void {
    this.#abandoned = true
    this.destroy()
  }

  override _read(): void {
    if (this.#headSeen) this.#answer.writable()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.#headSeen) {
      this.#headSeen = true
      done()
      return
    }
    if (this.#answer.chunk(bytes)) done()
    else this.#pending = done
  }

  override _final(done: () => void): void {
    if (!this.#abandoned && this.#headSeen) this.#answer.end(null)
    this.#side()
    done()
  }

  override push(bytes: Uint8Array | null): boolean {
    if (bytes === null) this.#side()
    return super.push(bytes)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#abandoned && this.#headSeen && !this.writableFinished) this.#ends.broken()
    if (!this.#abandoned) this.#ends.finished()
    done(error)
  }

  #side(): void {
    this.#sides -= 1
    if (this.#sides === 0) this.#ends.finished()
  }
}

/** http-proxy takes the client's request from here; names in lower case where it looks for them. */
function requestOf(head: UpstreamHead): IncomingMessage {
  const headers: Record<string, string | string[]> = { connection: 'Upgrade', upgrade: head.upgrade ?? 'websocket' }
  for (let at = 0; at < head.raw.length; at += 2) add(headers, head.raw[at] ?? '', head.raw[at + 1] ?? '')
  return { method: head.method, url: head.target, headers, httpVersionMajor: 1 } as never
}

function add(headers: Record<string, string | string[]>, name: string, value: string): void {
  const known = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase())
  const before = known === undefined ? undefined : headers[known]
  headers[known ?? name] = before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value]
}

function faultOf(error: unknown, connected: boolean): Fault {
  const code = errorCode(error)
  if (code === 'ECONNECT_TIMEOUT') return new Fault('connect-timeout', 'no connection to the version in time', error)
  if (!connected) return new Fault('connect-failed', `no connection to the version: ${code || errorMessage(error)}`, error)
  return new Fault('upstream-reset', `connection to the version lost: ${code || errorMessage(error)}`, error)
}
