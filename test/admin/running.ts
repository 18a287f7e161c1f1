/** An admin listener of baton in this process, on a free port, and requests to it. */
import http from 'node:http'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { openGuard } from '../../src/admin/guard.ts'
import { type Endpoints, type Guard, HttpServer } from '../../src/admin/http-server.ts'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { FakeWorld } from '../kit/fake-world.ts'

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface RunningServer {
  readonly port: number
  readonly server: HttpServer
  readonly records: LogRecord[]
  ask(method: string, path: string, given?: { headers?: http.OutgoingHttpHeaders; body?: string | Buffer }): Promise<Answer>
}

export async function serve(endpoints: Endpoints, guard: Guard = openGuard): Promise<RunningServer> {
  const records: LogRecord[] = []
  const server = new HttpServer(endpoints, guard, createLog(new FakeWorld(), 'debug', [(record) => void records.push(record)]))
  // the fd is the server's from here, which closes it; `bound` is not closed as well
  const bound = new net.BoundSocket({ host: '127.0.0.1', port: 0 })
  const { port } = bound.address() as net.AddressInfo
  await server.listen(bound.fd())
  const ask: RunningServer['ask'] = (method, path, { headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
        text(response).then((received) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received }), reject)
      })
      request.on('error', reject)
      request.end(body)
    })
  return { port, server, records, ask }
}
