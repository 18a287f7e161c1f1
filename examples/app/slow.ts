/** GET /slow?ms=500: answers after that long, at most 60 s. A client that leaves stops the wait. */
import { sendJson, sendText } from './reply.ts'
import type { Page } from './routes.ts'
import { wholeNumber } from './whole-number.ts'

const maxMs = 60_000

export function answerSlowly(version: string): Page {
  return (_request, response, query) => {
    const ms = wholeNumber(query.get('ms') ?? '1000', maxMs)
    if (ms === null) return sendText(response, 400, `ms: expected a whole number up to ${maxMs}`)
    const timer = setTimeout(() => sendJson(response, 200, { version, ms }), ms)
    response.once('close', () => clearTimeout(timer))
  }
}
