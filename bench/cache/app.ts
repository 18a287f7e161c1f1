/**
 * A small app whose requests read several keys, each once the one before is known: PORT, VERSION and REDIS_PATH or REDIS_PORT in its
 * environment. `/page?item=3&item=17…` answers `{version}`, and 500 where a value is not the key's own.
 */
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { isOf, nameOf } from './values.ts'

const { PORT, VERSION, REDIS_PATH, REDIS_PORT } = process.env
const redis = new Redis(REDIS_PATH === undefined ? { host: '127.0.0.1', port: Number(REDIS_PORT) } : { path: REDIS_PATH })

async function areAllThere(items: readonly string[]): Promise<boolean> {
  for (const item of items) {
    const name = nameOf(Number(item))
    if (!isOf(name, await redis.get(name))) return false
  }
  return true
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app')
  if (pathname === '/healthz') return void response.end()
  areAllThere(searchParams.getAll('item')).then(
    (is) => response.writeHead(is ? 200 : 500).end(JSON.stringify({ version: VERSION })),
    (error: unknown) => response.writeHead(500).end(String(error)),
  )
})
server.listen(Number(PORT), '127.0.0.1')
process.once('SIGTERM', () => server.close(() => process.exit()))
