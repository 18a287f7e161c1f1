/**
 * The floor: the least that `node:http` in and undici's dispatch out can do. It streams with backpressure, drops `Connection`,
 * stops the app's work when the client leaves, and is no proxy that one could use: node floor-server.ts PORT ORIGIN_PORT
 */
import { createServer, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'

class Relay implements Dispatcher.DispatchHandler {
  readonly response: ServerResponse
  #controller: Dispatcher.DispatchController | null = null

  constructor(response: ServerResponse) {
    this.response = response
    response.once('close', () => {
      if (!response.writableFinished) this.#controller?.abort(new Error('the client is gone'))
    })
  }
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.response.destroyed) controller.abort(new Error('the client is gone'))
  }
  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = controller.rawHeaders as Buffer[]
    this.response.writeHead(status, withoutConnection(raw.map((part) => part.toString('latin1'))))
  }
  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // undici hands over an empty chunk after each resume: a system call for nothing
    if (chunk.length === 0 || this.response.write(chunk)) return
    controller.pause()
    this.response.once('drain', () => controller.resume())
  }
  onResponseEnd(): void {
    this.response.end()
  }
  onResponseError(): void {
    this.response.destroy()
  }
}

function withoutConnection(raw: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    if (name.length !== 10 || name.toLowerCase() !== 'connection') kept.push(name, raw[at + 1] ?? '')
  }
  return kept
}

const [, , port, originPort] = process.argv
const pool = new Pool(`http://127.0.0.1:${originPort}`, { connections: 128, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 60_000 })
const server = createServer({ keepAliveTimeout: 3_600_000 }, (request, response) => {
  const { method = 'GET', url = '/', rawHeaders } = request
  const body = method === 'GET' || method === 'HEAD' ? null : request
  pool.dispatch({ method: method as Dispatcher.HttpMethod, path: url, headers: withoutConnection(rawHeaders), body }, new Relay(response))
})
server.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 })
