/** An HTTP server over a table of paths: every admin and observation endpoint of baton. */
import http from 'node:http'
import { BatonError, errorMessage } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import { answerError, type Handler } from './answer.ts'

/** `GET /v1/status` → handler; `GET /v1/history/*` → handler of whatever is one level below. */
export type Endpoints = Readonly<Record<string, Handler>>

/** Says why a request may not come in, or null. */
export type Guard = (request: http.IncomingMessage) => { readonly status: number; readonly code: string; readonly message: string } | null

export class HttpServer {
  readonly #server: http.Server
  readonly #endpoints: Endpoints
  readonly #guard: Guard
  readonly #log: Log

  constructor(endpoints: Endpoints, guard: Guard, log: Log) {
    this.#endpoints = endpoints
    this.#guard = guard
    this.#log = log
    this.#server = http.createServer(
      { maxHeaderSize: 16_384, requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000 },
      (request, response) => this.#serve(request, response),
    )
    this.#server.maxConnections = 256
  }

  /** @throws BatonError `bind` */
  listen(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => reject(new BatonError('bind', `cannot listen on fd ${fd}: ${errorMessage(error)}`, error))
      this.#server.once('error', failed)
      this.#server.listen({ fd }, () => {
        this.#server.off('error', failed)
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const refusal = this.#guard(request)
    if (refusal !== null) return answerError(response, refusal.status, refusal.code, refusal.message)
    const path = (request.url ?? '').split('?')[0] ?? ''
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
    const handler = this.#endpoints[`${method} ${path}`] ?? this.#endpoints[`${method} ${anyBeside(path)}`]
    if (handler === undefined) return this.#unknown(path, method, response)
    // within the promise: a handler that throws at once must not end the process
    new Promise<void>((resolve) => resolve(handler(request, response))).catch((error: unknown) => {
      if (request.errored !== null) return this.#log.debug('admin.client_gone', { path, reason: errorMessage(error) })
      this.#log.error('admin.failed', { path, reason: errorMessage(error) })
      if (response.headersSent) response.destroy()
      else answerError(response, 500, 'internal', errorMessage(error))
    })
  }

  #unknown(path: string, method: string, response: http.ServerResponse): void {
    const allowed = Object.keys(this.#endpoints).filter((key) => key.endsWith(` ${path}`) || key.endsWith(` ${anyBeside(path)}`))
    if (allowed.length === 0)
      return answerError(response, 404, 'unknown-path', `no ${path} here; there are ${Object.keys(this.#endpoints).join(', ')}`)
    const methods = allowed.map((key) => key.split(' ')[0]).join(', ')
    response.setHeader('allow', methods)
    answerError(response, 405, 'method-not-allowed', `${method} ${path}: only ${methods}`)
  }
}

/** `/v1/history/x` → `/v1/history/*` */
function anyBeside(path: string): string {
  return `${path.slice(0, path.lastIndexOf('/') + 1)}*`
}
