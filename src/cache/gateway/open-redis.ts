/** A connection to Redis for one client of a gateway: bytes, and nothing else. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Access } from '../redis/access.ts'

export function openRedis({ address, tls }: Pick<Access, 'address' | 'tls'>): Socket {
  const to = address.is === 'tcp' ? { host: address.host, port: address.port } : { path: address.path }
  const socket = tls === null ? connect(to) : connectTls({ ...to, ...tls })
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 30_000)
  return socket
}
