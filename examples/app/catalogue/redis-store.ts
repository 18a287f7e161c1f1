/** The items in the Redis of REDIS_URL. That it may be baton's gateway in place of Redis itself, nothing here knows. */
import { firstItems, keyOf } from './items.ts'
import type { Store } from './store.ts'

export async function redisStore(url: string): Promise<Store> {
  // ioredis, only here: without REDIS_URL the app needs nothing but Node
  const { Redis } = await import('ioredis')
  const redis = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 2_000, commandTimeout: 2_000 })
  const from = `redis at ${url.replace(/^.*(@|\/\/)/, '')}`
  let trouble = ''
  redis.on('error', (error) => {
    // it is tried again and again, and told once
    if (error.message !== trouble) console.error(`${from}: ${error.message}`)
    trouble = error.message
  })
  const seed = async () => {
    trouble = ''
    // asked first: a write, refused or not, costs whoever holds these keys what they hold
    if ((await redis.exists(keyOf('1'))) === 0) await redis.msetnx(firstItems().flatMap((item) => [keyOf(item.id), JSON.stringify(item)]))
  }
  redis.on('ready', () => void seed().catch((error: unknown) => console.error(`${from}: the catalogue is not filled:`, error)))
  return {
    read: async (key) => ({ text: await redis.get(key), from }),
    async write(key, text) {
      await redis.set(key, text)
    },
    takes: () => false,
    close: () => redis.disconnect(),
  }
}
