/** Endpoints on a real HttpServer, on a Unix socket that the keeper would have bound. */
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { openGuard } from '../../src/admin/guard.ts'
import { type Endpoints, HttpServer } from '../../src/admin/http-server.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { realWorld } from '../../src/world.ts'

export interface Served {
  /** Of the socket. */
  readonly path: string
  readonly socket: net.BoundSocket
  close(): Promise<void>
}

/** `path`: of the socket, whose folder is then the caller's; a fresh one if none is given. */
export async function serveEndpoints(endpoints: Endpoints, path?: string): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-admin-'))
  const options: object = { path: path ?? join(folder, 'admin.sock') } // newer than the types
  const socket = new net.BoundSocket(options as net.BoundSocketOptions)
  const server = new HttpServer(endpoints, openGuard, createLog(realWorld, 'error', []))
  await server.listen(socket.fd())
  return {
    // Referenced to the end: a socket that is collected would take the fd away from under the server.
    socket,
    path: path ?? join(folder, 'admin.sock'),
    async close() {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The body is parsed from JSON. */
export function send(socketPath: string, method: string, path: string, body?: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, method, path, agent: false }, (response) => {
      text(response).then((received) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(received) }), reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}
