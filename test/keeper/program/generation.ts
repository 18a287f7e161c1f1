/** A generation that does what a test asks of it over its public socket: POST { is: 'start' | 'signal' | 'exit' | … }, GET tells what it knows. */
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { connectKeeper } from '../../../src/keeper/link.ts'
import type { AppExit, AppStart, ListenerFds } from '../../../src/keeper/protocol.ts'
import { realWorld } from '../../../src/world.ts'

type Order =
  | { is: 'start'; app: AppStart }
  | { is: 'signal'; name: string; signal: NodeJS.Signals }
  | { is: 'exit'; code: number }
  /** From now on `stop` is heard and not acted on. */
  | { is: 'deaf' }

const link = await connectKeeper(realWorld)
const fds = JSON.parse(process.env.BATON_LISTENERS ?? '{}') as ListenerFds
const seen = { reloads: 0, stops: 0, exits: [] as AppExit[] }
let deaf = false

if (process.env.TEST_GENERATION_EXIT !== undefined) process.exit(Number(process.env.TEST_GENERATION_EXIT))

function act(order: Order): void {
  if (order.is === 'start') link.start(order.app)
  if (order.is === 'signal') link.signal(order.name, order.signal)
  if (order.is === 'exit') process.exit(order.code)
  if (order.is === 'deaf') deaf = true
}

function stop(): void {
  seen.stops++
  if (deaf) return
  link.onApps = (apps) => apps.length === 0 && process.exit(0)
  for (const app of link.apps) link.signal(app.name, 'SIGTERM')
  if (link.apps.length === 0) process.exit(0)
}

link.onReload = () => seen.reloads++
link.onExit = (exit) => seen.exits.push(exit)
link.onStop = stop
process.on('SIGTERM', stop)

const server = http.createServer(async (request, response) => {
  const order = request.method === 'POST' ? (JSON.parse(await text(request)) as Order) : null
  if (order !== null) act(order)
  const { apps, lost, keeperPid } = link
  response.setHeader('connection', 'close').end(JSON.stringify({ pid: process.pid, keeperPid, lost, apps, fds, ...seen }))
})
server.listen({ fd: fds.public, backlog: 4096 }, () => link.ready())
for (const [name, fd] of Object.entries(fds)) if (name !== 'public') http.createServer((_, response) => response.end(name)).listen({ fd })
