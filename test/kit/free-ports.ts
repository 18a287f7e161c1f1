/** Ports that nobody listens on, for what has to be told a port before it starts. */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** All held at once until all are known, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

/** Whether this machine's port can be bound now, as baton would bind it. */
export async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer()
  const outcome = Promise.race([once(server, 'listening').then(() => true), once(server, 'error').then(() => false)])
  server.listen(port, host)
  const free = await outcome
  if (free) await once(server.close(), 'close')
  return free
}
