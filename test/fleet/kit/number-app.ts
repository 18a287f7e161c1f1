/** An app that answers with the number that the proxy before it sets, in this process. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface NumberApp extends AsyncDisposable {
  readonly port: number
}

export async function startNumberApp(): Promise<NumberApp> {
  const server = createServer((request, response) => {
    request.resume()
    response.end(request.headers['x-number'])
  })
  // a proxy that keeps its connections must not meet one that the app has just closed
  server.keepAliveTimeout = 600_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}
