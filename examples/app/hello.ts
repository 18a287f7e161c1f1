/** GET /api/hello: who answered, and what the proxy in front said of the request. */
import { sendJson } from './reply.ts'
import type { Page } from './routes.ts'

export function sayHello(version: string): Page {
  return (request, response) => {
    const { headers } = request
    sendJson(response, 200, {
      version,
      pid: process.pid,
      'baton-version': headers['baton-version'] ?? null,
      'x-forwarded-for': headers['x-forwarded-for'] ?? null,
      via: headers.via ?? null,
    })
  }
}
