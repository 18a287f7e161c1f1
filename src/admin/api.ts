/** The admin API: what the CLI talks to. */
import type { ConfigFault } from '../errors.ts'
import { formatConfigFault } from '../errors.ts'
import type { RouteRequest } from '../routing/route.ts'
import type { Explanation } from '../routing/router.ts'
import type { World } from '../world.ts'
import { answerError, answerJson, answerText, bodyText, type Handler } from './answer.ts'
import { type EventSource, eventStream } from './event-stream.ts'
import type { Endpoints } from './http-server.ts'

/** What became of a configuration that was put. */
export type PutAnswer =
  | { readonly is: 'applied'; readonly revision: number; readonly hash: string }
  | { readonly is: 'same'; readonly revision: number; readonly hash: string }
  | { readonly is: 'refused'; readonly faults: readonly ConfigFault[] }
  | { readonly is: 'mismatch'; readonly hash: string }
  | { readonly is: 'unwritable'; readonly reason: string }

export interface Administered {
  status(): unknown
  /** The dynamic half as it runs. */
  config(): { readonly text: string; readonly hash: string }
  putConfig(text: string, ifMatch: string | null): Promise<PutAnswer>
  reload(): Promise<PutAnswer>
  route(request: RouteRequest): Explanation
  readonly events: EventSource
}

const maxBodyBytes = 1024 * 1024

export function adminEndpoints(administered: Administered, world: World): Endpoints {
  return {
    'GET /v1/status': (_, response) => answerJson(response, 200, administered.status()),
    'GET /v1/events': eventStream(administered.events, world),
    'GET /v1/config': (_, response) => {
      const { text, hash } = administered.config()
      answerText(response, 200, text, { 'content-type': 'application/yaml', etag: `"${hash}"` })
    },
    'PUT /v1/config': putConfig(administered),
    'POST /v1/reload': async (_, response) => answerPut(response, await administered.reload()),
    'POST /v1/route': route(administered),
  }
}

function putConfig(administered: Administered): Handler {
  return async (request, response) => {
    const text = await bodyText(request, maxBodyBytes)
    if (text === null) return answerError(response, 413, 'too-large', `a configuration has at most ${maxBodyBytes} bytes`)
    const ifMatch = request.headers['if-match']?.replace(/^"(.*)"$/, '$1') ?? null
    answerPut(response, await administered.putConfig(text, ifMatch))
  }
}

function answerPut(response: Parameters<Handler>[1], outcome: PutAnswer): void {
  switch (outcome.is) {
    case 'applied':
    case 'same':
      return answerJson(response, 200, outcome, { etag: `"${outcome.hash}"` })
    case 'refused':
      return answerJson(response, 422, {
        error: { code: 'config', message: outcome.faults.map(formatConfigFault).join('\n'), faults: outcome.faults },
      })
    case 'mismatch':
      return answerJson(response, 412, { error: { code: 'mismatch', message: `the running configuration is "${outcome.hash}"` } })
    case 'unwritable':
      return answerError(response, 409, 'unwritable', outcome.reason)
  }
}

function route(administered: Administered): Handler {
  return async (request, response) => {
    const text = await bodyText(request, 65_536)
    const question = text === null ? null : questionOf(text)
    if (question === null)
      return answerError(response, 400, 'question', 'expected JSON {method, target, host, client, raw: [name, value, …]}')
    answerJson(response, 200, administered.route(question))
  }
}

function questionOf(text: string): RouteRequest | null {
  try {
    const { method = 'GET', target = '/', host = '', client = '127.0.0.1', raw = [] } = JSON.parse(text) as Partial<RouteRequest>
    const isText = [method, target, host, client].every((value) => typeof value === 'string')
    const isRaw = Array.isArray(raw) && raw.length % 2 === 0 && raw.every((value) => typeof value === 'string')
    return isText && isRaw ? { method, target, host, client, raw } : null
  } catch {
    // not JSON: the caller says what was expected
    return null
  }
}
