/** GET /events: server-sent events, one a second. A client that comes back with Last-Event-ID goes on from the next number. */
import type { ServerResponse } from 'node:http'
import { sendText } from './reply.ts'
import type { Page } from './routes.ts'

const periodMs = 1000
const maxStreams = 1000

export interface EventStreams {
  readonly open: Page
  /** Ends every stream after its last whole event; its client comes back by itself. */
  close(): void
}

export function eventStreams(version: string): EventStreams {
  const streams = new Set<ServerResponse>()
  return {
    open(request, response) {
      if (request.method === 'HEAD') return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end()
      if (streams.size >= maxStreams) return sendText(response, 503, 'too many event streams', { 'retry-after': '5' })
      streams.add(response)
      const stop = tick(response, version, numberAfter(request.headers['last-event-id']))
      response.once('close', () => {
        streams.delete(response)
        stop()
      })
    },
    close() {
      for (const response of streams) response.end()
    },
  }
}

/** Returns what stops it. A slow reader misses events and never makes us keep any. */
function tick(response: ServerResponse, version: string, first: number): () => void {
  let id = first
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.write(`retry: ${periodMs}\n\n`)
  const send = () => {
    if (!response.writableNeedDrain && !response.writableEnded) response.write(eventOf(id, version))
    id += 1
  }
  send()
  const timer = setInterval(send, periodMs)
  return () => clearInterval(timer)
}

function eventOf(id: number, version: string): string {
  return `id: ${id}\nevent: tick\ndata: ${JSON.stringify({ version, id, at: new Date().toISOString() })}\n\n`
}

function numberAfter(lastEventId: string | string[] | undefined): number {
  return typeof lastEventId === 'string' && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) + 1 : 1
}
