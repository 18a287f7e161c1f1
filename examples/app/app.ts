/**
 * A small app for baton to stand in front of: pages, JSON, POST, server-sent events, WebSocket echo, a health page with a slow start, and,
 * where it has a Redis, a catalogue.
 *
 *     PORT=3001 APP_VERSION=v1 node examples/app/app.ts
 *     PORT=3001 APP_VERSION=v1 REDIS_URL=redis://127.0.0.1:6379 node examples/app/app.ts
 *
 * Without REDIS_URL it needs nothing but Node. On SIGTERM or SIGINT it takes no new connection, lets requests end and asks streams and sockets to go.
 */
import { createServer } from 'node:http'
import { catalogue } from './catalogue/pages.ts'
import { redisStore } from './catalogue/redis-store.ts'
import type { Store } from './catalogue/store.ts'
import { eventStreams } from './events.ts'
import { healthPage } from './health.ts'
import { notebook } from './notes.ts'
import { answerWith, routesOf } from './routes.ts'
import { readSettings, type Settings } from './settings.ts'
import { stopOnSignal } from './stop.ts'
import { webSocketEcho } from './websocket/upgrade.ts'

async function storeOf({ redisUrl, isPushedTo }: Settings): Promise<Store | null> {
  if (redisUrl === null) return null
  const redis = await redisStore(redisUrl)
  if (!isPushedTo) return redis
  const { pushedStore } = await import('./catalogue/pushed-store.ts')
  return pushedStore(redis)
}

async function run(settings: Settings): Promise<void> {
  const { version } = settings
  const events = eventStreams(version)
  const store = await storeOf(settings)
  const sockets = webSocketEcho('/ws')
  const routes = routesOf({
    settings,
    events,
    notes: notebook(version),
    health: healthPage(settings),
    catalogue: catalogue(version, store),
  })
  const answer = answerWith(routes)
  const server = createServer((request, response) => {
    if (store?.takes(request, response) !== true) answer(request, response)
  })
  server.on('upgrade', sockets.upgrade)
  server.on('error', (error) => {
    console.error(`${version}: cannot listen on ${settings.place}: ${error.message}`)
    process.exitCode = 1
  })
  server.listen(settings.listen, () => {
    const address = server.address()
    const place = typeof address === 'object' && address !== null ? `http://${settings.host}:${address.port}` : settings.place
    console.log(`${version} listening on ${place} (pid ${process.pid})`)
  })
  // requests that are under way need it to their end
  server.on('close', () => store?.close())
  stopOnSignal(server, [events.close, sockets.close])
}

try {
  await run(readSettings(process.env))
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
