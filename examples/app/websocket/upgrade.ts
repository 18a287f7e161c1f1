/** The opening handshake: RFC 6455 section 4.2. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Connection, echoOn } from './connection.ts'
import { closeCode } from './frame.ts'

const maxConnections = 1000
/** Section 1.3. */
const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export interface WebSockets {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Asks every client to go (1001) and takes no new one. */
  close(): void
}

export function webSocketEcho(path: string): WebSockets {
  const open = new Set<Connection>()
  let closing = false
  return {
    upgrade(request, socket, head) {
      const refusal = closing || open.size >= maxConnections ? '503 Service Unavailable' : refuse(request, path)
      if (refusal !== null) return refuseWith(socket, refusal)
      socket.write(accept(request.headers['sec-websocket-key'] ?? ''))
      const connection = echoOn(socket, head)
      open.add(connection)
      socket.once('close', () => open.delete(connection))
    },
    close() {
      closing = true
      for (const connection of open) connection.close(closeCode.goingAway, 'the app stops')
    },
  }
}

/** The status line of the refusal, or null. */
function refuse({ method, url, headers }: IncomingMessage, path: string): string | null {
  if (url?.split('?')[0] !== path) return '404 Not Found'
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return '400 Bad Request'
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers['sec-websocket-key'] ?? '')) return '400 Bad Request'
  return headers['sec-websocket-version'] === '13' ? null : '426 Upgrade Required'
}

function refuseWith(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n`)
}

function accept(key: string): string {
  const token = createHash('sha1')
    .update(key + magic)
    .digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${token}\r\n\r\n`
}
