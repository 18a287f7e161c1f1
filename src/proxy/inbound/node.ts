/** HTTP/1.1 from clients through node:http: connections, framing, and one inbound object a request. */
import http from 'node:http'
import type { Socket } from 'node:net'
import type { LimitSettings, TimeoutSettings } from '../../config/settings.ts'
import { errorCode, errorMessage, Fault } from '../../errors.ts'
import type { AddressSet } from '../../routing/address.ts'
import { hostOf } from '../../routing/host.ts'
import type { World } from '../../world.ts'
import { clientOf } from '../client-address.ts'
import { type Framing, readFraming } from '../framing.ts'
import { bodyOf, faultAnswers, faultFields, rawAnswer } from '../respond.ts'
import { Connection } from './connection.ts'
import type { Accept, Head } from './inbound.ts'
import { NodeInbound, NodeRequest, NodeResponse } from './node-request.ts'
import { NodeUpgrade } from './node-upgrade.ts'

export interface NodeInboundParts {
  readonly world: World
  readonly accept: Accept
  /** Read for each request, so that a swap takes effect at once. */
  limits(): LimitSettings
  trustedHops(): AddressSet
  /** A request that no exchange was begun for. */
  refused(fault: Fault): void
  connected(): void
}

/** The parser's own bound; `limits.headerBytes`, which can be swapped, is checked below it. */
const maxHeaderBytes = 256 * 1024

export class NodeServer {
  readonly server: http.Server
  readonly #parts: NodeInboundParts
  readonly #connections = new Map<Socket, Connection>()
  #idleMs = 0
  readonly #unreadMs = () => this.#idleMs

  constructor(parts: NodeInboundParts) {
    this.#parts = parts
    this.server = http.createServer({
      IncomingMessage: NodeRequest,
      ServerResponse: NodeResponse,
      maxHeaderSize: maxHeaderBytes,
      requireHostHeader: false,
      requestTimeout: 0,
      noDelay: true,
      // a response is paused above this; at node's 64 KiB a large one is paused for each read of the app's
      highWaterMark: 131_072,
      optimizeEmptyRequests: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      connectionsCheckingInterval: 1_000,
      shouldUpgradeCallback: (request: http.IncomingMessage) => isWebSocket(request),
    } as http.ServerOptions<typeof NodeRequest, typeof NodeResponse>)
    // 0 is no limit here: with one, node:http drops the fields above it without a word
    this.server.maxHeadersCount = 0
    this.server.timeout = 0
    this.#listen()
  }

  get connections(): ReadonlyMap<Socket, Connection> {
    return this.#connections
  }

  useTimeouts({ keepAliveMs, requestHeadMs, idleMs }: TimeoutSettings): void {
    this.#idleMs = idleMs
    this.server.keepAliveTimeout = keepAliveMs
    this.server.headersTimeout = requestHeadMs
  }

  #listen(): void {
    const { server } = this
    server.on('connection', (socket: Socket) => this.#connected(socket))
    server.on('request', (request, response) => this.#request(request as NodeRequest, response as NodeResponse, false))
    server.on('checkContinue', (request, response) => this.#request(request as NodeRequest, response as NodeResponse, true))
    server.on('checkExpectation', (request, response) => this.#unexpected(request as NodeRequest, response as NodeResponse))
    server.on('upgrade', (request, socket, early) => this.#upgrade(request as NodeRequest, socket as Socket, early))
    server.on('connect', (_request, socket) => this.#rejectInTurn(socket as Socket, new Fault('method-not-supported', 'CONNECT')))
    server.on('clientError', (error, socket) => this.#unreadable(error, socket as Socket))
  }

  #connected(socket: Socket): void {
    const { world, limits, trustedHops, connected } = this.#parts
    const address = plainAddress(socket.remoteAddress ?? '')
    const connection = new Connection(socket, { address, trusted: trustedHops().has(address) }, world, this.#unreadMs)
    if (this.#connections.size >= limits().connections) return this.#turnAway(connection)
    this.#connections.set(socket, connection)
    socket.on('close', () => this.#connections.delete(socket))
    connected()
  }

  #turnAway(connection: Connection): void {
    const fault = new Fault('limit-reached', 'limits.connections reached')
    this.#parts.refused(fault)
    connection.answerAndClose(rawAnswer(fault))
  }

  #of(socket: Socket): Connection | undefined {
    return this.#connections.get(socket)
  }

  #request(request: NodeRequest, response: NodeResponse, expectContinue: boolean): void {
    const connection = this.#of(request.socket)
    if (connection === undefined) return
    if (connection.begin()) this.#begin(connection, request, response, expectContinue)
    else connection.later(() => this.#begin(connection, request, response, expectContinue))
  }

  #begin(connection: Connection, request: NodeRequest, response: NodeResponse, expectContinue: boolean): void {
    const framing = this.#framing(request)
    if (framing instanceof Fault) return this.#refuse(request, response, framing)
    const head = this.#head(connection, request, framing, null, expectContinue && framing.body !== 'none')
    const inbound = new NodeInbound(head, connection, request, response)
    inbound.receiver = this.#parts.accept(inbound)
  }

  #framing(request: NodeRequest): Framing | Fault {
    const { httpVersion, method = '', url = '', rawHeaders } = request
    if (httpVersion === '0.9') return new Fault('bad-request', 'no HTTP version')
    if (httpVersion !== '1.1' && httpVersion !== '1.0') return new Fault('version-not-supported', `HTTP/${httpVersion}`)
    return readFraming(method, url, httpVersion === '1.1' ? 11 : 10, rawHeaders, this.#parts.limits())
  }

  #head(connection: Connection, request: NodeRequest, framing: Framing, upgrade: string | null, expectContinue: boolean): Head {
    const { authority, target, body, listed } = framing
    const { peer } = connection
    return {
      method: request.method ?? '',
      target,
      host: hostOf(authority),
      raw: request.rawHeaders,
      client: peer.trusted ? clientOf(request.rawHeaders, peer.address, this.#parts.trustedHops()) : peer.address,
      http: request.httpVersion === '1.1' ? 11 : 10,
      authority,
      body,
      upgrade,
      expectContinue,
      listed,
      peer,
    }
  }

  /** Answers without an exchange; nothing that follows on the connection is read. */
  #refuse(request: NodeRequest, response: NodeResponse, fault: Fault): void {
    const connection = this.#of(request.socket)
    this.#parts.refused(fault)
    connection?.refuse()
    connection?.closeGently()
    const { status, reason } = faultAnswers[fault.code]
    const body = bodyOf(fault)
    response.writeHead(status ?? 400, reason, ['connection', 'close', ...faultFields(fault, body)])
    response.end(request.method === 'HEAD' ? undefined : body)
    connection?.handedOver()
  }

  #upgrade(request: NodeRequest, socket: Socket, early: Buffer): void {
    const connection = this.#of(socket)
    if (connection === undefined) return void socket.destroy()
    if (connection.begin()) this.#beginUpgrade(connection, request, early)
    else connection.later(() => this.#beginUpgrade(connection, request, early))
  }

  #beginUpgrade(connection: Connection, request: NodeRequest, early: Buffer): void {
    const framing = this.#framing(request)
    if (framing instanceof Fault) return this.#reject(connection.socket, framing)
    const head = this.#head(connection, request, framing, framing.upgrade, false)
    const inbound = new NodeUpgrade(head, connection, request, early)
    inbound.receiver = this.#parts.accept(inbound)
  }

  #unexpected(request: NodeRequest, response: NodeResponse): void {
    const refuse = () => this.#refuse(request, response, new Fault('expectation-failed', 'only 100-continue can be expected'))
    const connection = this.#of(request.socket)
    if (connection?.begin() === true) refuse()
    else connection?.later(refuse)
  }

  /** What follows a request that is still being answered waits: its answer first. */
  #rejectInTurn(socket: Socket, fault: Fault): void {
    const connection = this.#of(socket)
    if (connection?.busy === true) connection.later(() => this.#reject(socket, fault))
    else this.#reject(socket, fault)
  }

  #reject(socket: Socket, fault: Fault): void {
    this.#parts.refused(fault)
    const connection = this.#of(socket)
    if (connection === undefined) socket.destroy()
    else connection.answerAndClose(rawAnswer(fault))
  }

  /** node:http's parser gave up on what the client sent. */
  #unreadable(error: Error, socket: Socket): void {
    const connection = this.#of(socket)
    // after `Connection: close` nothing more is read; the answer before it goes out first
    if (errorCode(error) === 'HPE_CLOSED_CONNECTION') return connection?.refuse()
    const fault = parserFault(error)
    if (connection === undefined || fault === null) return void socket.destroy()
    if (connection.refused) return
    const { current } = connection
    if (current !== null && !current.bodyComplete) {
      connection.refuse()
      connection.closeGently()
      this.#parts.refused(fault)
      return current.unreadable(fault)
    }
    this.#rejectInTurn(socket, fault)
  }
}

/** The one upgrade that this stack carries; `h2c` and others are served as ordinary requests without it (RFC 9110 section 7.8 allows that). */
function isWebSocket(request: http.IncomingMessage): boolean {
  const { upgrade, 'content-length': length, 'transfer-encoding': coding } = request.headers
  const hasBody = coding !== undefined || (length !== undefined && length !== '0')
  return request.method === 'GET' && !hasBody && request.httpVersion === '1.1' && upgrade?.toLowerCase() === 'websocket'
}

/** null: there is nobody to answer, or nothing to say. */
function parserFault(error: Error): Fault | null {
  const code = errorCode(error)
  if (code === 'HPE_HEADER_OVERFLOW') return new Fault('head-too-large', 'header too large', error)
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Fault('client-timeout', 'no whole request head in time', error)
  if (code === 'HPE_INVALID_VERSION' && stoppedAt(error, /^[!-~]+ [!-~]+ HTTP\/[0-9]\.[0-9]\r\n/))
    return new Fault('version-not-supported', 'unknown HTTP version', error)
  if (code === 'HPE_INVALID_METHOD' && stoppedAt(error, /^[\w!#$%&'*+.^`|~-]+ [!-~]+ HTTP\/1\.[01]\r\n/)) {
    return new Fault('method-not-supported', 'a method that node:http does not know', error)
  }
  if (!code.startsWith('HPE_') || code === 'HPE_INVALID_EOF_STATE') return null
  return new Fault('bad-request', errorMessage(error).replace(/^Parse Error: /, ''), error)
}

/** The line at which the parser stopped is of this form; there may be whole requests before it in the same packet. */
function stoppedAt(error: Error & { rawPacket?: unknown; bytesParsed?: unknown }, form: RegExp): boolean {
  const { rawPacket, bytesParsed } = error
  if (!Buffer.isBuffer(rawPacket) || typeof bytesParsed !== 'number') return false
  const text = rawPacket.toString('latin1')
  return form.test(text.slice(bytesParsed === 0 ? 0 : text.lastIndexOf('\n', bytesParsed - 1) + 1))
}

/** An IPv4 client of a dual-stack listener. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
