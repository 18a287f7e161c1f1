/**
 * An app whose behaviour a test can turn: health, hanging, exits; it records what reached it.
 *
 *     PORT=3001 VERSION=v1 node test/e2e/program/app.ts
 */
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

type Page = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void | Promise<void>

const version = process.env.VERSION ?? 'v1'
const host = process.env.HOST ?? '127.0.0.1'
const seen = {
  orders: new Map<string, number>(),
  open: 0,
  gone: 0,
  healthStatus: Number(process.env.HEALTH ?? 200),
  probes: 0,
  requests: 0,
}

const pages: Readonly<Record<string, Page>> = {
  'GET /who': (_, response) => json(response, 200, { version, pid: process.pid }),
  'GET /headers': (request, response) => json(response, 200, { version, raw: request.rawHeaders }),
  'POST /orders': order,
  'GET /orders': (_, response) => json(response, 200, Object.fromEntries(seen.orders)),
  'GET /seen': (_, response) => json(response, 200, { open: seen.open, gone: seen.gone, probes: seen.probes, requests: seen.requests }),
  'POST /digest': digest,
  'GET /bytes': bytes,
  'GET /hang': () => undefined,
  'POST /hang': (request) => void request.resume(),
  'POST /deaf': () => undefined,
  'GET /stall': (_, response) => void response.writeHead(200, { 'content-length': 10 }).write('begin'),
  'GET /slow': (_, response, query) => void setTimeout(() => json(response, 200, { version, slow: true }), Number(query.get('ms'))),
  'GET /trickle': trickle,
  'GET /cut': (request) => void request.socket.destroy(),
  'POST /cut': (request) => void request.socket.destroy(),
  'POST /exit': (_, __, query) => process.exit(Number(query.get('code') ?? 1)),
  'POST /health': (_, response, query) => {
    seen.healthStatus = Number(query.get('status'))
    json(response, 200, {})
  },
  'GET /healthz': (_, response) => {
    seen.probes += 1
    json(response, seen.healthStatus, { version })
  },
}

async function order(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
  const id = query.get('id') ?? ''
  seen.orders.set(id, (seen.orders.get(id) ?? 0) + 1)
  if (process.env.ORDERS_FILE !== undefined) appendFileSync(process.env.ORDERS_FILE, `${id}\n`)
  let length = 0
  for await (const chunk of request) length += (chunk as Buffer).length
  json(response, 201, { version, id, length })
}

async function digest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of request) {
    hash.update(chunk as Buffer)
    length += (chunk as Buffer).length
  }
  json(response, 200, { version, length, sha256: hash.digest('hex') })
}

/** Byte number i is i mod 251. */
function bytes(_: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  const block = Buffer.from(Uint8Array.from({ length: 251 * 256 }, (_value, index) => index % 251))
  let left = Number(query.get('n'))
  response.writeHead(200, { 'content-length': left })
  const go = (): void => {
    while (left > 0 && !response.destroyed) {
      const part = left < block.length ? block.subarray(0, left) : block
      left -= part.length
      if (!response.write(part)) return void response.once('drain', go)
    }
    response.end()
  }
  go()
}

/** `n` bytes, one each `ms`. */
function trickle(_: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  let left = Number(query.get('n'))
  response.writeHead(200, { 'content-length': left })
  const timer = setInterval(
    () => {
      response.write('x')
      left -= 1
      if (left === 0) response.end()
      if (left === 0) clearInterval(timer)
    },
    Number(query.get('ms')),
  )
  response.on('close', () => clearInterval(timer))
}

function json(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://app.invalid')
  const page = pages[`${request.method} ${url.pathname}`]
  if (page === undefined) return json(response, 404, { version })
  if (url.pathname !== '/healthz' && url.pathname !== '/seen') {
    seen.requests += 1
    seen.open += 1
    response.on('close', () => {
      seen.open -= 1
      if (!response.writableFinished) seen.gone += 1
    })
  }
  Promise.resolve(page(request, response, url.searchParams)).catch(() => response.destroy())
})
server.keepAliveTimeout = Number(process.env.KEEP_ALIVE ?? 60_000)
const where =
  process.env.SOCKET === undefined
    ? { host, port: Number(process.env.PORT ?? 0), backlog: Number(process.env.BACKLOG ?? 511) }
    : { path: process.env.SOCKET }
server.listen(where, () => {
  const address = server.address()
  console.log(`${version} listening on ${typeof address === 'object' ? address?.port : address}`)
})
process.on('SIGTERM', () => {
  if (process.env.STUBBORN !== undefined) return
  server.close(() => process.exit(0))
  setInterval(() => server.closeIdleConnections(), 20)
})
