/** One request of the load, and what became of it. All times are `performance.now()`. */
import http from 'node:http'
import { text } from 'node:stream/consumers'

export type Kind = 'get' | 'post' | 'slow'

export interface Exchange {
  readonly kind: Kind
  /** Of a POST: the app writes it down. */
  readonly id: string
  /** Who sent it; empty where nobody says. */
  readonly user: string
  readonly dueAt: number
  readonly endedAt: number
  /** When the connection that it went over was opened. */
  readonly connectedAt: number
  readonly outcome: Outcome
}

export type Outcome =
  | { readonly is: 'ok'; readonly version: string }
  /** An answer that is not the app's, or no answer: `503 not-serving`, `ECONNRESET`. */
  | { readonly is: 'failed'; readonly why: string }
  /** The answer had begun and did not end as it should. */
  | { readonly is: 'cut'; readonly why: string }

export interface Asking {
  readonly port: number
  readonly agent: http.Agent
  readonly kind: Kind
  readonly id: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly dueAt: number
}

const patienceMs = 20_000
const body = 'x'.repeat(300)
/** When a socket was opened; a socket serves many requests. */
const openedAt = Symbol('opened at')

/** Never rejects: a failure is an outcome. */
export function ask({ port, agent, kind, id, path, headers, dueAt }: Asking): Promise<Exchange> {
  return new Promise((resolve) => {
    let connectedAt = Number.POSITIVE_INFINITY
    const end = (outcome: Outcome): void =>
      resolve({ kind, id, user: headers['x-user'] ?? '', dueAt, endedAt: performance.now(), connectedAt, outcome })
    const method = kind === 'post' ? 'POST' : 'GET'
    const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent, timeout: patienceMs }, (response) => {
      text(response).then(
        (received) => end(judge(kind, id, response, received)),
        (error: unknown) => end({ is: 'cut', why: codeOf(error) }),
      )
    })
    request.on('socket', (socket: { [openedAt]?: number }) => {
      socket[openedAt] ??= performance.now()
      connectedAt = socket[openedAt]
    })
    request.on('timeout', () => request.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })))
    request.on('error', (error) => end({ is: 'failed', why: codeOf(error) }))
    request.end(kind === 'post' ? body : undefined)
  })
}

function judge(kind: Kind, id: string, { statusCode = 0, headers }: http.IncomingMessage, received: string): Outcome {
  if (statusCode !== (kind === 'post' ? 201 : 200)) return { is: 'failed', why: `${statusCode} ${headers['baton-error'] ?? received}` }
  const { version, id: told, length } = JSON.parse(received) as { version: string; id?: string; length?: number }
  if (headers['x-served-by'] !== version) return { is: 'failed', why: `${version} answered, x-served-by is ${headers['x-served-by']}` }
  if (kind === 'post' && (told !== id || length !== body.length)) return { is: 'failed', why: `sent ${id}, the app got ${received}` }
  return { is: 'ok', version }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
