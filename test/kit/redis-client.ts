/** An app's Redis client, as apps have it: ioredis with its defaults, but for an end of patience. */
import { Redis } from 'ioredis'

export type Client = Redis

/** At a port of this machine, or at a Unix socket. */
export function redisClient(at: number | string, options: Readonly<Record<string, unknown>> = {}): Client {
  const place = typeof at === 'number' ? { host: '127.0.0.1', port: at } : { path: at }
  const client = new Redis({ ...place, maxRetriesPerRequest: 1, retryStrategy: () => 50, ...options })
  // its commands reject, which is what the tests look at
  client.on('error', () => {})
  return client
}
