/**
 * One client connection of the node inbound. Pipelined requests are taken one after the other (RFC 9112 section 9.3.2 allows more for safe
 * methods only), and after a request that cannot be read nothing that follows it is looked at.
 */
import type { Socket } from 'node:net'
import type { Fault } from '../../errors.ts'
import type { Timer, World } from '../../world.ts'
import type { Peer } from './inbound.ts'

/** Requests that were read while another is under way. Beyond this the socket is not read. */
const maxPipelined = 16
/** After an early answer, the client may still be sending: closing at once would reset the connection and take the answer with it. */
const lingerMs = 1_000

/** A request whose body may still turn out to be unreadable. */
export interface Readable {
  readonly bodyComplete: boolean
  unreadable(fault: Fault): void
}

export class Connection {
  readonly socket: Socket
  readonly peer: Peer
  /** When it last became idle, monotonic ms; null while a request is under way. */
  idleSince: number | null
  /** The request under way, for what the parser has to say of its body. */
  current: Readable | null = null
  readonly #world: World
  readonly #unreadMs: () => number
  readonly #pending: (() => void)[] = []
  #busy = false
  #refused = false
  #closing = false
  #linger: Timer | null = null
  #unread = false

  /** `unreadMs`: how long the client may leave the last bytes of a response, or the end of a tunnel, without taking any of it. */
  constructor(socket: Socket, peer: Peer, world: World, unreadMs: () => number) {
    this.socket = socket
    this.peer = peer
    this.#world = world
    this.#unreadMs = unreadMs
    this.idleSince = world.elapsed()
    // node:http takes its own listener away when it hands the socket over (an upgrade, CONNECT): without one a client's reset ends the process
    socket.on('error', ignore)
    socket.on('timeout', destroy)
  }

  get busy(): boolean {
    return this.#busy
  }
  get refused(): boolean {
    return this.#refused
  }

  /** Takes the connection for a request. False: another is under way, or nothing is read any more. */
  begin(): boolean {
    if (this.#busy || this.#refused || this.#closing) return false
    this.#busy = true
    this.idleSince = null
    // the limit was for the response before this one; node:http takes back its own limit of an idle connection only
    if (this.#unread) this.socket.setTimeout(0)
    this.#unread = false
    return true
  }

  /** Runs `begun` once the requests before it have been answered. */
  later(begun: () => void): void {
    if (this.#refused || this.#closing) return
    this.#pending.push(begun)
    if (this.#pending.length >= maxPipelined) this.socket.pause()
  }

  /** The last bytes were handed over. Their exchange is over, so it cannot wait for a client that does not take them. */
  handedOver(): void {
    if (this.socket.writableLength > 0) this.awaitClient()
  }

  /** Cuts the client unless it moves. The socket's own timer also sees progress within one large write. */
  awaitClient(): void {
    this.#unread = true
    this.socket.setTimeout(this.#unreadMs())
  }

  /** The response is on its way out, whole. */
  done(): void {
    this.#busy = false
    this.current = null
    // whoever left has no use for the answers to what it pipelined
    if (this.socket.destroyed) this.refuse()
    this.idleSince = this.#world.elapsed()
    const next = this.#pending.shift()
    if (next === undefined) return
    // what `later` had paused, and nothing else: the socket of an upgrade that waits has no reader yet, and would lose what it is sent
    if (this.#pending.length === maxPipelined - 1) this.socket.resume()
    if (this.begin()) next()
  }

  /**
   * The answer under way says `Connection: close`: what was pipelined behind it is not done, since its sender will send it again elsewhere
   * (RFC 9112 section 9.6).
   */
  closing(): void {
    this.#closing = true
    this.#pending.length = 0
  }

  /** Nothing that comes after this is read as a request. */
  refuse(): void {
    this.#refused = true
    this.#pending.length = 0
  }

  /** Makes the end of the connection wait until the client has had time to read: node:http ends it by `destroySoon`. */
  closeGently(): void {
    this.socket.destroySoon = () => this.#lingerThenDestroy()
  }

  /** Writes a last answer and closes. */
  answerAndClose(text: string): void {
    this.refuse()
    if (this.socket.destroyed) return
    this.socket.end(text, 'latin1')
    this.#lingerThenDestroy()
  }

  /** Ends an idle connection, also of a client that is gone or never closes its side. */
  hangUp(): void {
    this.refuse()
    this.#lingerThenDestroy()
  }

  #lingerThenDestroy(): void {
    if (this.#linger !== null || this.socket.destroyed) return
    this.#linger = this.#world.after(lingerMs, () => this.socket.destroy())
    this.socket.once('close', () => this.#linger?.cancel())
    this.socket.end()
    this.socket.resume()
  }
}

/** 'close' follows, and says what there is to say. */
function ignore(): void {}

function destroy(this: Socket): void {
  this.destroy()
}
