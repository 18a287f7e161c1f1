/**
 * An app to be upgraded. All of its processes append what they did to one file, so that what is lost or done twice shows across them.
 *
 *     PORT=3001 VERSION=v1 RECORD=/tmp/record node test/upgrade/program/app.ts
 *
 * START_DELAY_MS: until it listens. STOP_DELAY_MS: from SIGTERM to its end. HEALTH=never: its health endpoint fails for ever.
 * LEGACY: no health endpoint, and no handling of SIGTERM. DEAF: it ignores SIGTERM. BROKEN: it answers
 * requests and orders with 500. EXIT_CODE: it ends with that code instead of starting.
 */
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'

type Page = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void

const { VERSION = 'v1', RECORD, PORT, START_DELAY_MS = '0', STOP_DELAY_MS = '0', HEALTH, LEGACY, DEAF, BROKEN, EXIT_CODE } = process.env
const isLegacy = LEGACY !== undefined
const sockets = new Set<WebSocket>()

const pages: Readonly<Record<string, Page>> = {
  'GET /who': (_, response) => answer(response, 200, { version: VERSION, pid: process.pid }),
  'GET /slow': (_, response, query) => void setTimeout(() => answer(response, 200, { version: VERSION }), Number(query.get('ms'))),
  'POST /orders': order,
  'POST /exit': () => process.exit(1),
  'GET /events': events,
  ...(isLegacy ? {} : { 'GET /healthz': (_, response) => answer(response, HEALTH === 'never' ? 503 : 200, {}) }),
}

/** One line a fact; a line this short is written whole, whoever else writes. */
function record(fact: string, detail: string | number): void {
  if (RECORD !== undefined) appendFileSync(RECORD, `${fact} ${VERSION} ${process.pid} ${Date.now()} ${detail}\n`)
}

function order(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  const id = query.get('id') ?? ''
  let length = 0
  request.on('data', (chunk: Buffer) => (length += chunk.length))
  request.on('end', () => {
    record('order', id)
    answer(response, 201, { version: VERSION, id, length })
  })
}

/** An event each `ms`, each in two writes, so that an end within one would show. */
function events(_: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  let n = 0
  const timer = setInterval(
    () => {
      n += 1
      response.write(`id: ${n}\n`)
      setTimeout(() => response.write(`data: {"version":"${VERSION}","n":${n}}\n\n`), 2)
    },
    Number(query.get('ms')),
  )
  response.on('close', () => clearInterval(timer))
}

function answer(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
}

const webSockets = new WebSocketServer({ noServer: true })
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://app.invalid')
  const page = pages[`${request.method} ${url.pathname}`]
  if (page === undefined) answer(response, 404, { version: VERSION })
  else if (BROKEN !== undefined && url.pathname !== '/healthz') answer(response, 500, { version: VERSION })
  else page(request, response, url.searchParams)
})
server.keepAliveTimeout = 60_000
server.on('upgrade', (request, socket, head) => {
  webSockets.handleUpgrade(request, socket, head, (client) => {
    sockets.add(client)
    client.send(`hello ${VERSION}`)
    client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }))
    client.on('close', (code) => {
      sockets.delete(client)
      record('websocket-closed', code)
    })
  })
})

function stop(): void {
  record('stopping', '')
  const end = (): void => {
    record('stopped', '')
    process.exit(0)
  }
  server.close()
  server.closeIdleConnections()
  for (const socket of sockets) socket.terminate()
  setTimeout(end, Number(STOP_DELAY_MS))
}

if (EXIT_CODE !== undefined) process.exit(Number(EXIT_CODE))
if (!isLegacy) process.on('SIGTERM', DEAF === undefined ? stop : () => record('deaf', ''))
record('started', '')
setTimeout(() => server.listen({ host: '127.0.0.1', port: Number(PORT) }, () => record('listening', '')), Number(START_DELAY_MS))
