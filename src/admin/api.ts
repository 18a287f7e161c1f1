/** The admin API: what the CLI talks to. */
import type { PutOutcome } from '../config/file-source.ts'
import { formatConfigFault } from '../errors.ts'
import type { RouteRequest } from '../routing/route.ts'
import type { Explanation } from '../routing/router.ts'
import type { World } from '../world.ts'
import { answerError, answerJson, answerText, bodyText, type Handler } from './answer.ts'
import { type CacheControl, cacheEndpoints } from './cache-api.ts'
import { type EventSource, eventStream } from './event-stream.ts'
import type { Endpoints } from './http-server.ts'
import { type RolloutControl, rolloutEndpoints } from './rollout-api.ts'

export interface Administered {
  status(): unknown
  /** The dynamic half as it runs. */
  config(): { readonly text: string; readonly hash: string }
  putConfig(text: string, ifMatch: string | null): Promise<PutOutcome>
  reload(): Promise<PutOutcome>
  route(request: RouteRequest): Explanation
  readonly events: EventSource
  /** Without it the paths of an upgrade are not there. */
  readonly rollout?: RolloutControl
  /** Null where there is no cache. */
  readonly cache?: CacheControl | null
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
    ...cacheEndpoints(administered.cache ?? null),
    ...(administered.rollout === undefined ? {} : rolloutEndpoints(administered.rollout)),
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

function answerPut(response: Parameters<Handler>[1], outcome: PutOutcome): void {
  switch (outcome.is) {
    case 'applied':
    case 'unchanged': {
      const { revision, hash } = outcome.snapshot
      return answerJson(response, 200, { is: outcome.is, revision, hash, needsGeneration: outcome.needsGeneration }, { etag: `"${hash}"` })
    }
    case 'refused':
      return answerJson(response, 422, {
        error: { code: 'config', message: outcome.faults.map(formatConfigFault).join('\n'), faults: outcome.faults },
      })
    case 'changed-meanwhile':
      return answerJson(response, 412, { error: { code: 'changed-meanwhile', message: `the running configuration is "${outcome.hash}"` } })
    case 'not-replaceable':
      return answerError(response, 409, 'not-replaceable', outcome.reason)
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
