/** The client libraries that apps use, each by its own ways. */
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { Client, Result } from './scenarios.ts'

/** Maps and objects in one form, buffers as text. */
function plain(value: unknown): Result {
  if (value instanceof Error) return value.message
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return value.map(plain)
  if (Buffer.isBuffer(value)) return value.toString()
  if (value instanceof Map) return [...value].flat().map(plain)
  if (typeof value === 'object') return Object.entries(value).flat().map(plain)
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value)
}

export async function ioredisTo(port: number, protocol: 2 | 3): Promise<Client> {
  const redis = new Redis({ port, host: '127.0.0.1', protocol, replyMapping: 'legacy', lazyConnect: true, maxRetriesPerRequest: 0 })
  redis.on('error', () => {})
  await redis.connect()
  return {
    call: async (...[name = '', ...args]) => plain(await redis.call(name, args)),
    async pipeline(commands) {
      const pipeline = redis.pipeline()
      for (const [name = '', ...args] of commands) pipeline.call(name, args)
      return ((await pipeline.exec()) ?? []).map(([error, reply]) => plain(error ?? reply))
    },
    async transaction(commands) {
      const transaction = redis.multi()
      for (const [name = '', ...args] of commands) transaction.call(name, args)
      const replies = await transaction.exec()
      return replies === null ? null : replies.map(([error, reply]) => plain(error ?? reply))
    },
    async messages(channel, count, ready) {
      const subscriber = redis.duplicate({ protocol: 2 })
      const messages: string[] = []
      const all = new Promise<void>((done) => {
        subscriber.on('message', (_, message: string) => messages.push(message) === count && done())
      })
      await subscriber.subscribe(channel)
      await ready()
      await all
      await subscriber.quit()
      return messages
    },
    another: () => ioredisTo(port, protocol),
    async close() {
      await redis.quit()
    },
  }
}

export async function nodeRedisTo(port: number, protocol: 2 | 3): Promise<Client> {
  const redis = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: false }, RESP: protocol })
  redis.on('error', () => {})
  await redis.connect()
  return {
    call: async (...words) => plain(await redis.sendCommand([...words])),
    async pipeline(commands) {
      return Promise.all(commands.map(async (words) => plain(await redis.sendCommand([...words]))))
    },
    async transaction(commands) {
      const transaction = redis.multi()
      for (const words of commands) transaction.addCommand([...words])
      // a watched key that has changed is an error here
      const replies = await transaction
        .exec()
        .catch((error: Error) => (error.constructor.name === 'WatchError' ? null : Promise.reject(error)))
      return replies === null ? null : replies.map(plain)
    },
    async messages(channel, count, ready) {
      const subscriber = redis.duplicate()
      subscriber.on('error', () => {})
      await subscriber.connect()
      const messages: string[] = []
      let finished = () => {}
      const all = new Promise<void>((done) => (finished = done))
      await subscriber.subscribe(channel, (message) => {
        if (messages.push(message) === count) finished()
      })
      await ready()
      await all
      await subscriber.close()
      return messages
    },
    another: () => nodeRedisTo(port, protocol),
    async close() {
      await redis.close()
    },
  }
}
