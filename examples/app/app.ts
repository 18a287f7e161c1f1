/**
 * A small app for baton to stand in front of: pages, JSON, POST, server-sent events, WebSocket echo, and a health page with a slow start.
 *
 *     PORT=3001 APP_VERSION=v1 node examples/app/app.ts
 *
 * It needs nothing but Node. On SIGTERM or SIGINT it takes no new connection, lets requests end and asks streams and sockets to go.
 */
import { createServer } from 'node:http'
import { eventStreams } from './events.ts'
import { healthPage } from './health.ts'
import { notebook } from './notes.ts'
import { answerWith, routesOf } from './routes.ts'
import { readSettings, type Settings } from './settings.ts'
import { stopOnSignal } from './stop.ts'
import { webSocketEcho } from './websocket/upgrade.ts'

function run(settings: Settings): void {
  const events = eventStreams(settings.version)
  const sockets = webSocketEcho('/ws')
  const routes = routesOf({ settings, events, notes: notebook(settings.version), health: healthPage(settings) })
  const server = createServer(answerWith(routes))
  server.on('upgrade', sockets.upgrade)
  server.on('error', (error) => {
    console.error(`${settings.version}: cannot listen on ${settings.place}: ${error.message}`)
    process.exitCode = 1
  })
  server.listen(settings.listen, () => {
    const address = server.address()
    const place = typeof address === 'object' && address !== null ? `http://${settings.host}:${address.port}` : settings.place
    console.log(`${settings.version} listening on ${place} (pid ${process.pid})`)
  })
  stopOnSignal(server, [events.close, sockets.close])
}

try {
  run(readSettings(process.env))
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
