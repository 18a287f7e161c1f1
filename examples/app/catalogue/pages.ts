/**
 * GET /catalogue/ID, PUT /catalogue/ID: an item of a small shop, from Redis. GET /catalogue: all of them looked up, one after the other.
 * Each says how long looking up took, `x-lookup-ms`, and who was asked: so a version with a cold cache shows.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseJson, readBody } from '../body.ts'
import { sendJson, sendText } from '../reply.ts'
import type { Page } from '../routes.ts'
import { itemCount, itemOf, keyOf } from './items.ts'
import type { Found, Store } from './store.ts'

const maxBodyBytes = 4096

export interface Catalogue {
  readonly all: Page
  readonly one: Page
  readonly put: Page
}

/** `store`: null without REDIS_URL. */
export function catalogue(version: string, store: Store | null): Catalogue {
  if (store === null) return { all: noCatalogue, one: noCatalogue, put: noCatalogue }
  return {
    all: answered(async (_request, response) => {
      const lookups: Lookup[] = []
      for (let id = 1; id <= itemCount; id += 1) lookups.push(await timed(store, `${id}`))
      const times = lookups.map(({ ms }) => ms).sort((a, b) => a - b)
      const ms = { p50: quantile(times, 0.5), p99: quantile(times, 0.99), max: quantile(times, 1) }
      const total = rounded(times.reduce((sum, each) => sum + each, 0))
      sendJson(
        response,
        200,
        { version, items: lookups.filter(({ text }) => text !== null).length, from: countBySource(lookups), lookupMs: ms },
        header(total),
      )
    }),
    one: answered(async (request, response) => {
      const id = idOf(request)
      if (id === null) return sendText(response, 404, 'no such item')
      const { text, from, ms } = await timed(store, id)
      if (text === null) return sendJson(response, 404, { version, id, from, lookupMs: ms, item: null }, header(ms))
      sendJson(response, 200, { version, id, from, lookupMs: ms, item: parseJson(text) }, header(ms))
    }),
    put: answered(async (request, response) => {
      const id = idOf(request)
      const body = await readBody(request, maxBodyBytes)
      if (body === null) return sendText(response, 413, `an item has at most ${maxBodyBytes} bytes`, { connection: 'close' })
      const item = id === null ? null : itemOf(parseJson(body), id, version)
      if (id === null || item === null) return sendText(response, 400, 'expected PUT /catalogue/ID with {"name": "…", "price": 12}')
      await store.write(keyOf(id), JSON.stringify(item))
      sendJson(response, 200, { version, item })
    }),
  }
}

const noCatalogue: Page = (_request, response) => sendText(response, 404, 'there is no catalogue: the app was started without REDIS_URL')

type Lookup = Found & { readonly ms: number }

async function timed(store: Store, id: string): Promise<Lookup> {
  const begun = performance.now()
  const found = await store.read(keyOf(id))
  return { ...found, ms: rounded(performance.now() - begun) }
}

function answered(page: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Page {
  return async (request, response) => {
    try {
      await page(request, response)
    } catch (error) {
      sendText(response, 503, `redis does not answer: ${error instanceof Error ? error.message : String(error)}`, { 'retry-after': '1' })
    }
  }
}

function idOf({ url = '' }: IncomingMessage): string | null {
  return /^\/catalogue\/([\w-]{1,64})(?:\?|$)/.exec(url)?.[1] ?? null
}

function header(ms: number): Readonly<Record<string, string>> {
  return { 'x-lookup-ms': String(ms) }
}

function countBySource(lookups: readonly Lookup[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { from } of lookups) counts[from] = (counts[from] ?? 0) + 1
  return counts
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
