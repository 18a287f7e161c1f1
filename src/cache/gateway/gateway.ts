/** Where one version's Redis clients are pointed at: a listener, and a connection to Redis for each client. */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { BatonError, errorMessage } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { World } from '../../world.ts'
import { ClientConnection } from './client-connection.ts'
import type { Reads } from './reads.ts'

export interface GatewayParts {
  readonly world: Pick<World, 'elapsed'>
  readonly version: string
  readonly log: Log
  /** A connection to the master that is being made; null while nobody knows which one it is. */
  openRedis(): Socket | null
}

const backlog = 4_096
/** Whose rights a new connection has, unless it says otherwise. */
const knownForMs = 1_000
/** As many as Redis takes by default. */
const maxClients = 10_000

export class Gateway {
  readonly #parts: GatewayParts
  readonly #server: Server
  /** As Redis said last, and when (monotonic ms): rights may be changed at any time. */
  #newcomer: { readonly user: string | null; readonly at: number } = { user: null, at: 0 }
  #reads: Reads | null = null
  readonly #connections = new Set<ClientConnection>()
  /** Clients turned away: too many, or no master to speak to. */
  refused = 0

  constructor(parts: GatewayParts) {
    this.#parts = parts
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client))
  }

  get version(): string {
    return this.#parts.version
  }

  /** From now on, for the clients that are there as well; null: everything is passed through. */
  use(reads: Reads | null): void {
    this.#reads = reads
    for (const connection of this.#connections) connection.use(reads)
  }

  get clients(): number {
    return this.#connections.size
  }

  /** @throws BatonError `bind` */
  listen(at: ListenOptions | { readonly fd: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => reject(new BatonError('bind', `the Redis gateway of ${this.version}: ${error.message}`, error))
      this.#server.once('error', failed)
      this.#server.listen({ ...at, backlog }, () => {
        this.#server.off('error', failed)
        this.#server.on('error', (error) => this.#parts.log.error('cache.gateway_failed', { version: this.version, reason: error.message }))
        resolve()
      })
    })
  }

  /** Clients come back to a server that is the master: what they were connected to is none any more. */
  disconnect(): void {
    this.#newcomer = { user: null, at: 0 }
    for (const connection of [...this.#connections]) connection.destroy()
  }

  close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()))
    this.disconnect()
    return closed
  }

  #accept(client: Socket): void {
    const { world } = this.#parts
    const redis = this.#connections.size >= maxClients ? null : this.#parts.openRedis()
    if (redis === null) {
      this.refused += 1
      client.destroy()
      return
    }
    const connection: ClientConnection = new ClientConnection(client, redis, this.#reads, {
      newcomer: () => (world.elapsed() - this.#newcomer.at <= knownForMs ? this.#newcomer.user : null),
      learned: (user) => (this.#newcomer = { user, at: world.elapsed() }),
      closed: () => this.#connections.delete(connection),
      failed: (error) => this.#parts.log.error('cache.connection_failed', { version: this.version, reason: errorMessage(error) }),
    })
    this.#connections.add(connection)
  }
}
