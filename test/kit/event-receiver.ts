/** Who is told by a webhook: a real HTTP server that answers as a test wants, and keeps what came, byte for byte. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface Told {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly event: Readonly<Record<string, unknown>>
}

export class EventReceiver implements AsyncDisposable {
  readonly port: number
  readonly told: Told[] = []
  /** `hang` answers never. */
  answer: (response: ServerResponse, told: Told) => void = (response) => response.writeHead(204).end()
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  /** `tls`: files of a key and a certificate. */
  static async listen(port = 0, tls?: { readonly key: string; readonly cert: string }): Promise<EventReceiver> {
    const server = tls ? createTlsServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) }) : createServer()
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
    const receiver = new EventReceiver(server)
    server.on('request', async (request, response) => {
      const body = await buffer(request)
      const { method = '', url: path = '', headers } = request
      const told = { method, path, headers, body, event: body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>) }
      receiver.told.push(told)
      receiver.answer(response, told)
    })
    return receiver
  }

  get names(): readonly unknown[] {
    return this.told.map(({ event }) => event.event)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** As a receiver checks it, from what the reference says and nothing of baton's. */
export function assertSigned({ headers, body }: Told, secret: string): void {
  const hmac = createHmac('sha256', secret)
  hmac.update(String(headers['baton-timestamp']))
  hmac.update('.')
  hmac.update(body)
  assert.equal(headers['baton-signature'], `sha256=${hmac.digest('hex')}`)
}
