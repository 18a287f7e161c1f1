/** One request of a test, with all that the answer says; on a connection of its own unless an agent is given. */
import http from 'node:http'
import { buffer } from 'node:stream/consumers'

export interface Sending {
  readonly port: number
  readonly method?: string
  readonly path?: string
  readonly headers?: http.OutgoingHttpHeaders
  readonly body?: string | Buffer
  readonly agent?: http.Agent
  readonly timeoutMs?: number
  readonly host?: string
  /** Local address; any of 127.0.0.0/8 plays another client. */
  readonly from?: string
}

export interface Received {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
  /** Of this request's connection: it served another request before. */
  readonly reused: boolean
}

/** @throws the connection's error with its `code`, or one of code TIMEOUT. */
export function send(sending: Sending): Promise<Received> {
  const { host = '127.0.0.1', port, method = 'GET', path = '/', headers = {}, body, agent, from, timeoutMs = 30_000 } = sending
  const local = from === undefined ? {} : { localAddress: from }
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, headers, agent: agent ?? false, ...local }, (response) => {
      buffer(response)
        .then((bytes) => {
          const { statusCode: status = 0, headers: received } = response
          resolve({ status, headers: received, body: bytes.toString(), reused: request.reusedSocket })
        }, reject)
        .finally(() => clearTimeout(timer))
    })
    const late = () => request.destroy(Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'TIMEOUT' }))
    const timer = setTimeout(late, timeoutMs)
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    request.end(body)
  })
}
