/** POST /api/echo: the length and SHA-256 of the body, counted as it streams in; no body is ever held in memory. */
import { createHash } from 'node:crypto'
import { sendJson } from './reply.ts'
import type { Page } from './routes.ts'

export function echoDigest(version: string): Page {
  return async (request, response) => {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of request) {
      bytes += chunk.length
      hash.update(chunk)
    }
    sendJson(response, 200, { version, bytes, sha256: hash.digest('hex') })
  }
}
