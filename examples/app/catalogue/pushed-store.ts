/**
 * CACHE=push: a cache of the app's own in front of its Redis, which baton fills and keeps written (docs/reference/push.md). In an app of
 * yours it is `import { createCache } from 'baton-proxy/cache'`.
 */
import { createCache } from '../../../src/cache/client/cache.ts'
import type { Store } from './store.ts'

export function pushedStore(redis: Store): Store {
  const cache = createCache({ max: 50_000 })
  return {
    async read(key) {
      let from = 'own cache'
      const text = await cache.get(key, async () => {
        const found = await redis.read(key)
        from = found.from
        return found.text
      })
      return { text, from }
    },
    write: (key, text) => cache.write(key, () => redis.write(key, text)),
    takes: (request, response) => cache.handle(request, response),
    close: () => redis.close(),
  }
}
