/** A request of node:http, as the exchange sees it. */
import { IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http'
import { Fault } from '../../errors.ts'
import type { Raw } from '../../routing/route.ts'
import { fieldValue } from '../field.ts'
import { headText } from '../head-text.ts'
import type { Connection } from './connection.ts'
import type { Head, Inbound, Receiver } from './inbound.ts'

/** Carries its inbound, so that one listener function serves every request. */
export class NodeRequest extends IncomingMessage {
  inbound: NodeInbound | null = null
}

export class NodeResponse extends ServerResponse<NodeRequest> {
  inbound: NodeInbound | null = null
}

/** Above this, making a string of a body costs more than it saves. */
const joinedBytes = 4_096

export class NodeInbound implements Inbound {
  readonly head: Head
  receiver: Receiver | null = null
  readonly #connection: Connection
  readonly #request: NodeRequest
  readonly #response: NodeResponse
  #reading = false
  #hearsDrain = false
  /** Bytes of the body that are still to come, by Content-Length; -1 where that is not known. */
  #remaining = -1
  #wrote = false
  #ended = false

  constructor(head: Head, connection: Connection, request: NodeRequest, response: NodeResponse) {
    this.head = head
    this.#connection = connection
    this.#request = request
    this.#response = response
    connection.current = this
    request.inbound = this
    response.inbound = this
    response.on('close', onClose)
  }

  inform(status: number, raw: Raw): void {
    // node:http writes 102 and 103 only, the latter with some of its fields
    this.#connection.socket.write(headText(status, STATUS_CODES[status] ?? 'Informational', raw), 'latin1')
  }

  respond(status: number, reason: string, raw: Raw, close: boolean): void {
    if (close) {
      this.#connection.closing()
      if (!this.#request.complete) this.#connection.closeGently()
      this.#response.writeHead(status, reason, ['connection', 'close', ...raw])
    } else this.#response.writeHead(status, reason, raw as string[])
    this.#remaining = this.head.method === 'HEAD' ? 0 : Number(fieldValue(raw, 'content-length') ?? -1)
    process.nextTick(flush, this)
  }

  upgrade(): void {
    throw new Fault('internal', 'an ordinary request cannot be upgraded')
  }

  write(bytes: Uint8Array): boolean {
    this.#wrote = true
    if (this.#remaining === bytes.length) {
      this.#ended = true
      this.#endWith(bytes)
      return true
    }
    if (this.#remaining > 0) this.#remaining -= bytes.length
    if (this.#response.write(bytes)) return true
    if (!this.#hearsDrain) {
      this.#hearsDrain = true
      this.#response.on('drain', onDrain)
    }
    return false
  }

  end(trailers: Raw | null): void {
    if (this.#ended) return
    this.#ended = true
    this.#wrote = true
    if (trailers !== null) this.#response.addTrailers(pairs(trailers))
    this.#response.end()
    this.#connection.handedOver()
  }

  pause(): void {
    if (this.#reading) this.#request.pause()
  }

  resume(): void {
    if (this.head.expectContinue && !this.#reading && !this.#response.headersSent) this.#response.writeContinue()
    if (this.#reading) this.#request.resume()
    else this.#read()
  }

  abort(): void {
    this.#ended = true
    this.receiver = null
    // without a length or chunks only a reset tells the client that the body is cut
    if (this.#remaining === -1 && this.head.http === 10) this.#connection.socket.resetAndDestroy()
    else this.#connection.socket.destroy()
  }

  /** A head that nothing of the body follows at once (an event stream) must not wait for it. */
  flush(): void {
    if (!this.#wrote && !this.#ended) this.#response.flushHeaders()
  }

  /** The response's connection part is over: flushed whole, or the client is gone. */
  closed(): void {
    const { receiver } = this
    if (!this.#response.writableFinished) receiver?.gone(new Fault('client-gone', 'the client closed the connection'))
    this.#connection.done()
  }

  drained(): void {
    this.receiver?.sendable()
  }

  /** The body's framing was broken on its way. */
  unreadable(fault: Fault): void {
    this.receiver?.gone(fault)
  }

  get bodyComplete(): boolean {
    return this.#request.complete
  }

  received(bytes: Uint8Array): void {
    if (this.receiver?.body(bytes) === false) this.#request.pause()
  }

  receivedAll(): void {
    const { rawTrailers } = this.#request
    this.receiver?.bodyEnd(rawTrailers.length === 0 ? null : rawTrailers)
  }

  /**
   * node:http joins a head with a body that is a string, and writes both at once; with bytes it takes a vectored write, which costs twice as
   * much. Latin-1 is bytes as they are.
   */
  #endWith(bytes: Uint8Array): void {
    if (bytes.length > joinedBytes || !Buffer.isBuffer(bytes)) this.#response.end(bytes)
    else this.#response.end(bytes.toString('latin1'), 'latin1')
    this.#connection.handedOver()
  }

  #read(): void {
    this.#reading = true
    this.#request.on('data', onData)
    this.#request.on('end', onEnd)
  }
}

// one function each for all requests: no closure a request

function onClose(this: NodeResponse): void {
  this.inbound?.closed()
}

function onDrain(this: NodeResponse): void {
  this.inbound?.drained()
}

function onData(this: NodeRequest, bytes: Uint8Array): void {
  this.inbound?.received(bytes)
}

function onEnd(this: NodeRequest): void {
  this.inbound?.receivedAll()
}

function flush(inbound: NodeInbound): void {
  inbound.flush()
}

/** As `addTrailers` takes them. */
export function pairs(raw: Raw): [string, string][] {
  const out: [string, string][] = []
  for (let at = 0; at < raw.length; at += 2) out.push([raw[at] ?? '', raw[at + 1] ?? ''])
  return out
}
