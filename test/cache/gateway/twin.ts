/** The same bytes to a Redis and to a gateway in front of it: what came back from each. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Want } from '../../../src/cache/read-keys.ts'
import type { CachedRedis, VersionName } from '../../kit/cached-redis.ts'
import { RawSocket } from '../../kit/raw-socket.ts'
import { until } from '../../kit/turns.ts'

export async function open(port: number): Promise<RawSocket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return new RawSocket(socket, () => {})
}

/** Sends the bytes, and then an ECHO; resolves with what came before its answer, or before the other side's end. */
export async function exchange(port: number, bytes: string | Buffer, end = '*2\r\n$4\r\nECHO\r\n$8\r\nthe end.\r\n'): Promise<string> {
  const raw = await open(port)
  raw.send(bytes)
  raw.send(end)
  const answer = '$8\r\nthe end.\r\n'
  await until(
    () => raw.ending !== 'open' || raw.received.includes(answer),
    () => `the end came; had ${JSON.stringify(raw.received.toString('latin1').slice(-500))}`,
  )
  raw.destroy()
  return raw.received.toString('latin1').replace(answer, '')
}

/** Resolves when the view holds the key as Redis has it now. */
export async function hold(cached: CachedRedis, name: string, want: Want = 'any', version: VersionName = 'v1'): Promise<void> {
  for (;;) {
    // what Redis tells of a write just before may come yet
    await cached.tracker.barrier()
    const filled = await cached.tracker.filled(name, want, cached.views[version])
    if (filled === 'refused') throw new Error(`${name} was refused`)
    if (filled !== 'dropped' && cached.views[version].peek(name) !== undefined) return
  }
}

export function hits(cached: CachedRedis, version: VersionName = 'v1'): number {
  return cached.reads[version].counts.hits
}
