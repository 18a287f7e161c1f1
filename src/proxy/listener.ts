/** The public port: starts to accept on a socket that was bound before, and ends without resetting anybody. */
import net from 'node:net'
import { errorMessage, BatonError } from '../errors.ts'
import type { Timer, World } from '../world.ts'
import type { NodeServer } from './inbound/node.ts'

/** node's own default of 511 is soon full when a thousand clients reconnect at once. */
const backlog = 4096

export class Listener {
  readonly #http: NodeServer
  readonly #world: World

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
   * No more accepts. Not http.Server.close: that also closes connections that were just accepted and have not sent their request yet.
   * Idle connections are closed once they have been idle for `idleMs`; resolves when none is left, or after `deadlineMs`, having cut the rest.
   */
  async stop(idleMs: number, deadlineMs: number): Promise<void> {
    const { server } = this.#http
    if (!server.listening) return
    const closed = new Promise<void>((resolve) => net.Server.prototype.close.call(server, () => resolve()))
    const sweep = this.#world.every(Math.min(100, Math.max(10, idleMs / 4)), () => this.#closeIdle(idleMs))
    this.#closeIdle(idleMs)
    let timer: Timer | null = null
    const late = new Promise<void>((resolve) => {
      timer = this.#world.after(deadlineMs, resolve)
    })
    await Promise.race([closed, late])
    sweep.cancel()
    ;(timer as Timer | null)?.cancel()
    for (const socket of this.#http.connections.keys()) socket.destroy()
    await closed
  }

  #closeIdle(idleMs: number): void {
    const now = this.#world.elapsed()
    for (const [socket, { idleSince }] of this.#http.connections) {
      if (idleSince !== null && now - idleSince >= idleMs) socket.end()
    }
  }
}
