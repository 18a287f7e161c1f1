/** A request that baton makes by itself, and of whose answer only the status counts. Redirects are answers like any other. */
import type { RequestOptions } from 'node:http'
import type { LookupFunction } from 'node:net'
import type { WebUrl } from '../config/settings.ts'
import type { World } from '../world.ts'

export interface StatusCall {
  readonly url: WebUrl
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  /** '' is none. */
  readonly body: string
  /** For the whole of it. */
  readonly timeoutMs: number
  readonly lookup?: LookupFunction
  readonly signal?: AbortSignal
}

/** The answer's status. Rejects without one: no connection, no certificate, no answer in time. The message never holds the path. */
export async function callForStatus(call: StatusCall, world: Pick<World, 'after'>): Promise<number> {
  const { url, body, timeoutMs } = call
  // TLS is loaded by who calls https
  const { request: open } = url.scheme === 'https' ? await import('node:https') : await import('node:http')
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const request = open(optionsOf(call), (response) => {
    resolve(response.statusCode ?? 0)
    response.destroy()
  })
  const timer = world.after(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)))
  request.on('error', reject)
  // neither an answer nor an error: an upgrade that nobody asked for ends so
  request.on('close', () => reject(new Error('the connection was closed without an answer')))
  request.end(body)
  return promise.finally(() => timer.cancel())
}

function optionsOf({ url, method, headers, body, lookup, signal }: StatusCall): RequestOptions & { rejectUnauthorized: boolean } {
  return {
    host: url.host,
    port: url.port,
    path: url.path,
    method,
    headers: { 'user-agent': 'baton', ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
    agent: false,
    // whatever NODE_TLS_REJECT_UNAUTHORIZED says
    rejectUnauthorized: true,
    ...(lookup && { lookup }),
    ...(signal && { signal }),
  }
}
