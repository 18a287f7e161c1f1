/** An app that answers bytes exactly as it is told, on a port of its own, and keeps what came on each of its connections. */
import { createServer, type Server } from 'node:net'
import { RawSocket } from './raw-socket.ts'

export class RawApp {
  readonly port: number
  /** In the order they were opened; those on which no byte came (probes) included. */
  connections: RawSocket[] = []
  /** What a new connection is served by. */
  serve: (connection: RawSocket) => void = () => {}
  /** Called after each byte, FIN or reset. */
  changed: () => void = () => {}
  #server: Server

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  /** Port 0 picks a free one. */
  static async listen(port = 0): Promise<RawApp> {
    const server = createServer({ allowHalfOpen: true })
    const app = new RawApp(server, await bind(server, port))
    server.on('connection', (socket) => {
      const connection = new RawSocket(socket, () => app.changed())
      app.connections.push(connection)
      app.serve(connection)
    })
    return app
  }

  /** New connections are refused; those that stand are ended, and waited for. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    await this.hangUp()
    await closed
  }

  async up(): Promise<void> {
    await bind(this.#server, this.port)
  }

  /** Ends every connection and forgets it. The other side has seen its end when this returns, or is cut after `patienceMs`. */
  async hangUp(patienceMs = 300): Promise<void> {
    const leaving = this.connections
    this.connections = []
    await Promise.all(leaving.map((connection) => hangUpOne(connection, patienceMs)))
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

async function hangUpOne({ socket }: RawSocket, patienceMs: number): Promise<void> {
  if (socket.closed) return
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const timer = setTimeout(() => socket.destroy(), patienceMs)
  socket.resume()
  socket.end()
  await closed
  clearTimeout(timer)
}

function bind(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
