/** `/v1/events`: server-sent events, from the one after `Last-Event-ID` if it is still held. */
import type { ServerResponse } from 'node:http'
import type { BatonEvent } from '../telemetry/events.ts'
import type { World } from '../world.ts'
import type { Handler } from './answer.ts'

export interface EventSource {
  after(id: number): readonly BatonEvent[]
  listen(listener: (event: BatonEvent) => void): () => void
}

/** A reader that has this much unread is cut: it can come back and go on where it was. */
const maxUnreadBytes = 256 * 1024
const keepAliveMs = 15_000

export function eventStream(events: EventSource, world: World): Handler {
  return (request, response) => {
    const since = Number(request.headers['last-event-id'] ?? 0)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    if (request.method === 'HEAD') return void response.end()
    for (const event of events.after(Number.isInteger(since) ? since : 0)) send(response, event)
    const stopListening = events.listen((event) => send(response, event))
    const beat = world.every(keepAliveMs, () => response.write(': still here\n\n'))
    response.flushHeaders()
    response.on('close', () => {
      stopListening()
      beat.cancel()
    })
  }
}

function send(response: ServerResponse, { id, time, level, event, fields }: BatonEvent): void {
  if (response.writableLength > maxUnreadBytes) response.destroy()
  else response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify({ id, time, level, event, ...fields })}\n\n`)
}
