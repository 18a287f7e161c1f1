/** The public port: starts to accept on a socket that was bound before, and ends without resetting anybody. */
import net from 'node:net'
import { BatonError, errorMessage } from '../errors.ts'
import type { Timer, World } from '../world.ts'
import type { NodeServer } from './inbound/node.ts'

/** Node's own default of 511 is soon full when a thousand clients reconnect at once. */
const backlog = 4096

export class Listener {
  readonly #http: NodeServer
  readonly #world: World
  #closed: Promise<void> = Promise.resolve()
  #sweep: Timer | null = null

  constructor(http: NodeServer, world: World) {
    this.#http = http
    this.#world = world
  }

  get connectionCount(): number {
    return this.#http.connections.size
  }

  /** @throws BatonError `bind` */
  start(fd: number): Promise<void> {
    const { server } = this.#http
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => reject(new BatonError('bind', `cannot listen on fd ${fd}: ${errorMessage(error)}`, error))
      server.once('error', failed)
      server.listen({ fd, backlog }, () => {
        server.off('error', failed)
        resolve()
      })
    })
  }

  /**
   * No more accepts, and connections that have been idle for `idleMs` are closed. Not `http.Server.close`: that also closes connections that
   * were just accepted and have not sent their request yet.
   */
  stopAccepting(idleMs: number): void {
    const { server } = this.#http
    if (!server.listening) return
    this.#closed = new Promise((resolve) => net.Server.prototype.close.call(server, () => resolve()))
    this.#closeIdle(idleMs)
    this.#sweep = this.#world.every(Math.min(100, Math.max(10, idleMs / 4)), () => this.#closeIdle(idleMs))
  }

  /** After `stopAccepting`: true when no connection is left, false after `deadlineMs`. */
  async empty(deadlineMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = this.#world.after(deadlineMs, () => resolve(false))
    this.#closed.then(() => resolve(true))
    return promise.finally(() => timer.cancel())
  }

  /** Cuts what is left, and accepts no more if it still does: a start that failed half-way was never told to leave. */
  async close(): Promise<void> {
    this.stopAccepting(0)
    this.#sweep?.cancel()
    for (const socket of this.#http.connections.keys()) socket.destroy()
    await this.#closed
  }

  #closeIdle(idleMs: number): void {
    const now = this.#world.elapsed()
    for (const connection of this.#http.connections.values()) {
      const { idleSince } = connection
      if (idleSince !== null && now - idleSince >= idleMs) connection.hangUp()
    }
  }
}
