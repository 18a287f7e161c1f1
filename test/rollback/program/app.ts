/**
 * An app that is bad in one way, or good.
 *
 *     PORT=3001 VERSION=v2 ERROR_SHARE=0.3 node test/rollback/program/app.ts
 *
 * ERROR_SHARE: of its answers are 500, evenly spread; RANDOM: by chance. SLOWER_MS: each answer. STUCK: this path is never answered.
 * CRASH_AFTER_MS, HANG_AFTER_MS, PART_HANG_AFTER_MS: after the first request it ends with 1; answers nothing any more; nothing but its health.
 * LEAK: of its first so many requests a share is begun and never ended that grows evenly from none to all; no later one is answered.
 * BURN: so many threads are busy besides. RECORD: a file that gets the time of each request, a line each.
 */
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Worker } from 'node:worker_threads'

const { VERSION = 'v1', PORT, STUCK, RECORD, RANDOM } = process.env
const figure = (name: string): number => Number(process.env[name] ?? 0)
const [errorShare, slowerMs, leak] = [figure('ERROR_SHARE'), figure('SLOWER_MS'), figure('LEAK')]
let count = 0
let isHung = false
let isPartlyHung = false

function first(): void {
  const after = (name: string, act: () => void): void => {
    if (figure(name) > 0) setTimeout(act, figure(name))
  }
  after('CRASH_AFTER_MS', () => process.exit(1))
  after('HANG_AFTER_MS', () => {
    isHung = true
  })
  after('PART_HANG_AFTER_MS', () => {
    isPartlyHung = true
  })
}

function isError(): boolean {
  if (RANDOM !== undefined) return Math.random() < errorShare
  return Math.floor(count * errorShare) > Math.floor((count - 1) * errorShare)
}

function isLeaked(): boolean {
  const leakedOf = (requests: number): number => Math.floor(requests ** 2 / (2 * leak))
  return leak > 0 && leakedOf(count) > leakedOf(count - 1)
}

function serve({ url }: IncomingMessage, response: ServerResponse): void {
  if (count === 0) first()
  count += 1
  if (RECORD !== undefined) appendFileSync(RECORD, `${Date.now()}\n`)
  if (isHung || isPartlyHung || url === STUCK || (leak > 0 && count > leak)) return
  const status = isError() ? 500 : 200
  const isWhole = !isLeaked()
  setTimeout(() => {
    response.writeHead(status, { 'content-type': 'text/plain' })
    if (isWhole) response.end(VERSION)
    else response.write(VERSION)
  }, slowerMs)
}

const server = createServer((request, response) => {
  if (request.url !== '/healthz') serve(request, response)
  else if (!isHung) response.end('ok')
})
server.keepAliveTimeout = 60_000
process.on('SIGTERM', () => process.exit(0))
for (let thread = 0; thread < figure('BURN'); thread += 1) new Worker('for (;;);', { eval: true })
server.listen({ host: '127.0.0.1', port: Number(PORT) })
