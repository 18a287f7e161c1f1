/** Which page answers which method and path. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendBytes } from './bytes.ts'
import type { Catalogue } from './catalogue/pages.ts'
import { echoDigest } from './echo.ts'
import type { EventStreams } from './events.ts'
import { sayHello } from './hello.ts'
import { homePage } from './home.ts'
import type { Notebook } from './notes.ts'
import { sendText } from './reply.ts'
import type { Settings } from './settings.ts'
import { answerSlowly } from './slow.ts'

export type Page = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void | Promise<void>

/** Path → method → page; a last part `*` stands for any. HEAD is answered by GET's page; node leaves its body out. */
export type Routes = Readonly<Record<string, Readonly<Record<string, Page>>>>

export interface Parts {
  readonly settings: Settings
  readonly events: EventStreams
  readonly notes: Notebook
  readonly health: Page
  readonly catalogue: Catalogue
}

export function routesOf({ settings, events, notes, health, catalogue }: Parts): Routes {
  const { version } = settings
  return {
    '/': { GET: homePage(version) },
    '/api/hello': { GET: sayHello(version) },
    '/api/echo': { POST: echoDigest(version) },
    '/api/notes': { GET: notes.list, POST: notes.add },
    '/catalogue': { GET: catalogue.all },
    '/catalogue/*': { GET: catalogue.one, PUT: catalogue.put },
    '/events': { GET: events.open },
    '/slow': { GET: answerSlowly(version) },
    '/bytes': { GET: sendBytes },
    '/healthz': { GET: health },
  }
}

export function answerWith(routes: Routes): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const url = parseTarget(request.url ?? '/')
    const methods = url === null ? undefined : methodsAt(routes, url.pathname)
    if (url === null || methods === undefined) return sendText(response, 404, 'no such page')
    const page = methods[request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET')]
    if (page === undefined) return sendText(response, 405, 'method not allowed', { allow: Object.keys(methods).join(', ') })
    Promise.resolve(page(request, response, url.searchParams)).catch((error: unknown) => fail(response, error))
  }
}

function methodsAt(routes: Routes, path: string): Routes[string] | undefined {
  const known = [path, path.replace(/[^/]+$/, '*')].find((each) => Object.hasOwn(routes, each))
  return known === undefined ? undefined : routes[known]
}

function parseTarget(target: string): URL | null {
  return URL.parse(target, 'http://app.invalid')
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return // the client left: there is nobody to tell
  console.error(error)
  if (response.headersSent) response.destroy()
  else sendText(response, 500, 'something went wrong')
}
