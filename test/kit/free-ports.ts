/**
 * Ports that nobody listens on, for what has to be told a port before it starts. Below those that the kernel gives out by itself: where
 * baton is killed and started again, its port must not have become somebody's connection meanwhile.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

const lowest = 10_000
const highest = 32_767

/** All held at once until all are known, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

async function listenAnywhere(): Promise<Server> {
  for (;;) {
    const server = await listenOn(lowest + Math.floor(Math.random() * (highest - lowest)), '127.0.0.1')
    if (server !== null) return server
  }
}

/** Null: it is taken. */
function listenOn(port: number, host: string): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null)).listen(port, host, () => resolve(server))
  })
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

/** Whether this machine's port can be bound now, as baton would bind it. */
export async function isFree(port: number, host: string): Promise<boolean> {
  const server = await listenOn(port, host)
  if (server !== null) await once(server.close(), 'close')
  return server !== null
}
