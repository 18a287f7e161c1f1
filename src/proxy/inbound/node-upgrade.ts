/** A request to upgrade, taken from node:http with its bare socket: 101 makes it a tunnel, anything else is an ordinary last response. */
import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Fault } from '../../errors.ts'
import type { Raw } from '../../routing/route.ts'
import { headText } from '../head-text.ts'
import type { Connection } from './connection.ts'
import type { Head, Inbound, Receiver } from './inbound.ts'
import { type NodeRequest, pairs } from './node-request.ts'

export class NodeUpgrade implements Inbound {
  readonly head: Head
  receiver: Receiver | null = null
  readonly #connection: Connection
  readonly #socket: Socket
  readonly #request: NodeRequest
  /** What the client sent after its head. */
  #early: Buffer
  #response: ServerResponse | null = null
  #reading = false
  #over = false

  constructor(head: Head, connection: Connection, request: NodeRequest, early: Buffer) {
    this.head = head
    this.#connection = connection
    this.#socket = connection.socket
    this.#request = request
    this.#early = early
    this.#socket.on('close', () => this.#closed())
    this.#socket.on('drain', () => this.receiver?.sendable())
  }

  inform(): void {
    // an upgrade is answered by 101 or by a final response; what comes between has no reader that is known to expect it
  }

  respond(status: number, reason: string, raw: Raw, _close: boolean): void {
    const response = new ServerResponse(this.#request)
    this.#response = response
    response.assignSocket(this.#socket)
    response.on('drain', () => this.receiver?.sendable())
    response.on('finish', () => {
      response.detachSocket(this.#socket)
      this.#socket.destroySoon()
    })
    response.writeHead(status, reason, ['connection', 'close', ...raw])
  }

  upgrade(raw: Raw): void {
    this.#socket.setTimeout(0)
    this.#socket.write(headText(101, 'Switching Protocols', raw), 'latin1')
  }

  write(bytes: Uint8Array): boolean {
    return this.#response === null ? this.#socket.write(bytes) : this.#response.write(bytes)
  }

  end(trailers: Raw | null): void {
    if (this.#response === null) {
      this.#socket.end()
      // the client may go on with its half, but not be silent for ever: most often it has nobody left to talk to
      this.#connection.awaitClient()
    } else {
      this.#over = true
      if (trailers !== null) this.#response.addTrailers(pairs(trailers))
      this.#response.end()
      this.#connection.handedOver()
    }
  }

  pause(): void {
    if (this.#reading) this.#socket.pause()
  }

  resume(): void {
    if (this.#reading) this.#socket.resume()
    else this.#read()
  }

  abort(_fault: Fault): void {
    this.#over = true
    this.#socket.destroy()
  }

  #read(): void {
    this.#reading = true
    if (this.#early.length > 0) this.#socket.unshift(this.#early)
    this.#early = Buffer.alloc(0)
    this.#socket.on('data', (bytes: Buffer) => {
      if (this.receiver?.body(bytes) === false) this.#socket.pause()
    })
    this.#socket.on('end', () => this.receiver?.bodyEnd(null))
    this.#socket.resume()
  }

  #closed(): void {
    if (!this.#over) this.receiver?.gone(new Fault('client-gone', 'the client closed the connection'))
    this.#over = true
    this.#connection.done()
  }
}
