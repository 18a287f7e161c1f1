/** An app with a cache of its own: `GET /read?k:1` says what it holds, and never loads anything. PORT. */
import { createServer } from 'node:http'
import { createCache } from '../../../../src/cache/client/cache.ts'

const cache = createCache({ max: 100_000 })
const server = createServer(async (request, response) => {
  if (cache.handle(request, response)) return
  const { pathname, search } = new URL(request.url ?? '/', 'http://app')
  if (pathname !== '/read') return void response.end(JSON.stringify(cache.counts))
  const keys = decodeURIComponent(search.slice(1)).split(',')
  const values = keys.map((key) => cache.get(key, async () => '(miss)'))
  response.end(JSON.stringify(await Promise.all(values)))
})
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log('listening'))
