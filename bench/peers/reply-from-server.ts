/** @fastify/reply-from with its documented defaults for undici: node reply-from-server.ts PORT ORIGIN_PORT */
import replyFrom from '@fastify/reply-from'
import fastify from 'fastify'

const [, , port, originPort] = process.argv
const app = fastify({ logger: false, keepAliveTimeout: 3_600_000 })
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
await app.register(replyFrom, {
  base: `http://127.0.0.1:${originPort}`,
  undici: { connections: 128, pipelining: 1, keepAliveTimeout: 60_000 },
})
app.all('/*', (request, reply) => reply.from(request.raw.url ?? '/'))
await app.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 })
