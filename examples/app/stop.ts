/** The orderly end on SIGTERM or SIGINT: no new connection, requests end, streams are asked to go; cut after 10 s, or at a second signal. */
import type { Server } from 'node:http'

const deadlineMs = 10_000

/** `goodbyes` end what would not end by itself. */
export function stopOnSignal(server: Server, goodbyes: readonly (() => void)[]): void {
  let stopping = false
  const stop = () => {
    if (stopping) process.exit(1)
    stopping = true
    server.close()
    // A kept-alive connection that is busy now falls idle after its answer.
    setInterval(() => server.closeIdleConnections(), 50).unref()
    for (const goodbye of goodbyes) goodbye()
    setTimeout(() => process.exit(1), deadlineMs).unref()
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
