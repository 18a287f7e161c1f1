/** `/v1/events`: server-sent events, from the one after `Last-Event-ID` if it is still held. */
import type { BatonEvent } from '../telemetry/events.ts'
import type { World } from '../world.ts'
import type { Handler } from './answer.ts'

export interface EventSource {
  after(id: number): readonly BatonEvent[]
  listen(listener: (event: BatonEvent) => void): () => void
}

/** A reader that has this much of new events unread is cut: it can come back and go on where it was. */
const maxUnreadBytes = 256 * 1024
const keepAliveMs = 15_000

export function eventStream(events: EventSource, world: World): Handler {
  return (request, response) => {
    const since = Number(request.headers['last-event-id'] ?? 0)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    if (request.method === 'HEAD') return void response.end()
    const history = events
      .after(Number.isInteger(since) ? since : 0)
      .map(textOf)
      .join('')
    // bounded as it is; were it counted as unread, a reader with much to catch up on would be cut each time, and never do
    let unreadHistory = history.length
    const read = () => {
      unreadHistory = 0
    }
    if (history !== '') response.write(history, read)
    const stopListening = events.listen((event) => {
      if (response.writableLength - unreadHistory > maxUnreadBytes) response.destroy()
      else response.write(textOf(event))
    })
    const beat = world.every(keepAliveMs, () => response.write(': still here\n\n'))
    response.flushHeaders()
    response.on('close', () => {
      stopListening()
      beat.cancel()
    })
  }
}

function textOf({ id, time, level, event, fields }: BatonEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify({ id, time, level, event, ...fields })}\n\n`
}
