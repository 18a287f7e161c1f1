/** The cache's part of the admin API. */
import type { IncomingMessage } from 'node:http'
import { answerError, answerJson, bodyText, type Handler } from './answer.ts'
import type { Endpoints } from './http-server.ts'

export interface CacheControl {
  stats(): object
  /** What is known of a key, and why it would be answered locally or not. */
  explain(key: Buffer): Promise<object>
  /** Everything is dropped, from every view. */
  flush(): void
  /** Begins to warm the version's view. Null: there is no such version with a cache. */
  warm(version: string): object | null
}

const maxBodyBytes = 65_536

export function cacheEndpoints(control: CacheControl | null): Endpoints {
  return {
    'GET /v1/cache': withCache(control, (cache) => (_, response) => answerJson(response, 200, cache.stats())),
    'POST /v1/cache/flush': withCache(control, (cache) => (_, response) => {
      cache.flush()
      answerJson(response, 200, { is: 'accepted' })
    }),
    'POST /v1/cache/warm': withCache(control, (cache) => async (request, response) => {
      const version = textOf((await bodyOf(request))?.version)
      if (version === null) return answerError(response, 400, 'cache', 'expected JSON {version}, a name')
      const begun = cache.warm(version)
      if (begun === null) return answerError(response, 404, 'unknown', `there is no version ${version} with a cache`)
      answerJson(response, 202, begun)
    }),
    'POST /v1/cache/explain': withCache(control, (cache) => async (request, response) => {
      const body = await bodyOf(request)
      const [key, base64] = [textOf(body?.key), textOf(body?.base64)]
      if (key === null && base64 === null) return answerError(response, 400, 'cache', 'expected JSON {key} or {base64}, the name of a key')
      answerJson(response, 200, await cache.explain(key === null ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(key)))
    }),
  }
}

function withCache(control: CacheControl | null, handler: (cache: CacheControl) => Handler): Handler {
  if (control !== null) return handler(control)
  return (_, response) => answerError(response, 409, 'refused', 'there is no cache: the configuration has no bootstrap.redis')
}

/** Null for what is not an object. */
async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>> | null> {
  const text = await bodyText(request, maxBodyBytes)
  try {
    const body: unknown = JSON.parse(text ?? '')
    return typeof body === 'object' && body !== null ? { ...body } : null
  } catch {
    // not JSON: the caller says what was expected
    return null
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
