/** Where an app listens, over TCP or a Unix socket: a raw server that answers nothing by itself. */
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint } from '../../src/upstream/transport/transport.ts'
import { RawSocket } from '../kit/raw-socket.ts'
import { until } from '../kit/turns.ts'

export type PlaceKind = Endpoint['is']

export class Place {
  readonly endpoint: Endpoint
  /** In the order they were opened. */
  readonly connections: RawSocket[] = []
  /** What a new connection is served by. */
  serve: (connection: RawSocket) => void = () => {}
  readonly #server: net.Server
  readonly #folder: string | null

  private constructor(server: net.Server, endpoint: Endpoint, folder: string | null) {
    this.endpoint = endpoint
    this.#server = server
    this.#folder = folder
    server.on('connection', (socket) => {
      const connection = new RawSocket(socket, () => {})
      this.connections.push(connection)
      this.serve(connection)
    })
  }

  static async listen(kind: PlaceKind): Promise<Place> {
    const server = net.createServer({ allowHalfOpen: true })
    const folder = kind === 'unix' ? mkdtempSync(join(tmpdir(), 'baton-place-')) : null
    const path = folder === null ? '' : join(folder, 'app.sock')
    await new Promise<void>((resolve) => (kind === 'unix' ? server.listen(path, resolve) : server.listen(0, '127.0.0.1', resolve)))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    return new Place(server, kind === 'unix' ? { is: 'unix', path } : { is: 'tcp', address: '127.0.0.1', port }, folder)
  }

  /** The connection on which this text came. */
  async at(text: string): Promise<RawSocket> {
    const find = () => this.connections.find(({ received }) => received.includes(text))
    await until(
      () => find() !== undefined,
      () => `the app has ${JSON.stringify(text)}; it has ${this.connections.map(({ received }) => received)}`,
    )
    return find() ?? Promise.reject(new Error('it is gone'))
  }

  /** Answers each request whose head has come, once, with what `answer` makes of the head. Only for requests without a body. */
  answers(answer: (head: string) => string): void {
    this.serve = (connection) => {
      let read = 0
      connection.socket.on('data', () => {
        for (let end = connection.received.indexOf('\r\n\r\n', read); end !== -1; end = connection.received.indexOf('\r\n\r\n', read)) {
          const head = connection.received.toString('latin1', read, end)
          read = end + 4
          connection.send(answer(head))
        }
      })
    }
  }

  /** Nobody has a connection to it any more. */
  async empty(): Promise<void> {
    await until(() => this.connections.every(({ ending }) => ending !== 'open'), 'every connection to the app has ended')
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true })
  }
}
