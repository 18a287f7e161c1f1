/** A second attempt where it is safe, and never where it is not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import { startBaton } from '../kit/baton.ts'
import { freePort } from '../kit/free-ports.ts'
import { metric, untilProbe } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { startTestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

/** Answers the first request of each connection, and closes the connection as soon as the second one has come. */
async function fickleApp() {
  const requests: string[] = []
  const connections = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    let answered = 0
    connections.add(socket)
    socket.on('error', () => undefined).on('close', () => connections.delete(socket))
    socket.on('data', (bytes) => {
      const line = bytes.toString().split('\r\n')[0] ?? ''
      if (!line.includes(' HTTP/1.1')) return // the rest of a request
      requests.push(line)
      if (answered++ === 0) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      else socket.destroy()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    requests,
    [Symbol.dispose]() {
      server.close()
      for (const socket of connections) socket.destroy()
    },
  }
}

const health = { tcp: true, interval: '1h' }
/** So that the next request certainly meets the connection of the one before. */
const limits = { upstreamConnections: 1 }

describe('retries', () => {
  test('a refused connection goes to the fallback, a POST with its body too, for nothing of it was sent', async () => {
    await using v1 = await startTestApp('v1')
    await using v2 = await startTestApp('v2')
    const routes = [{ name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'v2', fallback: 'v1' }]
    const versions = { v1: { url: v1.url }, v2: { url: v2.url } }
    await using baton = await startBaton({ config: { versions, stable: 'v1', routes, health: { ...health, failureThreshold: 100 } } })
    await untilProbe(baton, 'ready', 'v1', 'v2')
    await v2.kill()
    const headers = { 'x-canary': 'true' }
    const got = await send({ port: baton.publicPort, path: '/who', headers })
    assert.deepEqual([got.status, got.headers['x-served-by']], [200, 'v1'])
    const posted = await send({ port: baton.publicPort, method: 'POST', path: '/orders?id=1', headers, body: 'x'.repeat(100_000) })
    assert.deepEqual([posted.status, JSON.parse(posted.body)], [201, { version: 'v1', id: '1', length: 100_000 }])
    assert.deepEqual(await v1.orders(), { 1: 1 })
    assert.equal(await metric(baton, 'baton_retries_total', { version: 'v2', reason: 'connect-failed', next: 'v1' }), 2)
    // a connection that was just refused is not worth a second try before the fallback
    assert.equal(await metric(baton, 'baton_retries_total'), 2)
  })

  test('a kept-alive connection that the app closes under a request: GET is tried again, POST is not', async () => {
    using app = await fickleApp()
    await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1', health, limits } })
    await untilProbe(baton, 'ready', 'v1')
    assert.equal((await send({ port: baton.publicPort, path: '/1' })).status, 200)
    assert.equal((await send({ port: baton.publicPort, path: '/2' })).status, 200)
    assert.deepEqual(app.requests, ['GET /1 HTTP/1.1', 'GET /2 HTTP/1.1', 'GET /2 HTTP/1.1'])
    assert.equal(await metric(baton, 'baton_retries_total', { reason: 'upstream-reset' }), 1)
    const post = await send({ port: baton.publicPort, method: 'POST', path: '/3', body: 'once' })
    assert.equal(post.status, 502)
    assert.match(String(post.headers['baton-error']), /^upstream-reset; /)
    assert.deepEqual(app.requests.slice(3), ['POST /3 HTTP/1.1'])
  })

  test('an idempotent request with a body that was kept is tried again whole; one that is too large is not', async () => {
    using app = await fickleApp()
    await using baton = await startBaton({
      config: { versions: { v1: { url: app.url } }, stable: 'v1', health, limits, retry: { replayBytes: '1KiB' } },
    })
    await untilProbe(baton, 'ready', 'v1')
    const put = (path: string, body: string) => send({ port: baton.publicPort, method: 'PUT', path, body })
    assert.equal((await send({ port: baton.publicPort, path: '/1' })).status, 200)
    assert.equal((await put('/2', 'small')).status, 200)
    assert.equal((await put('/3', 'x'.repeat(2000))).status, 502)
    assert.deepEqual(
      app.requests.map((line) => line.split(' ')[1]),
      ['/1', '/2', '/2', '/3'],
    )
  })

  test('a connection that the app closed while it was idle costs no request', async () => {
    await using app = await startTestApp('v1', { KEEP_ALIVE: '150' })
    await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1', health } })
    await untilProbe(baton, 'ready', 'v1')
    const statuses: number[] = []
    for (let n = 0; n < 12; n++) {
      statuses.push((await send({ port: baton.publicPort, method: 'POST', path: `/orders?id=${n}` })).status)
      // Around the app's limit: the pause is the input here.
      await new Promise((resolve) => setTimeout(resolve, 100 + n * 10))
    }
    // a POST that meets the app's close on its way cannot be told from one that was worked on: it may be 502, never twice
    assert.ok(statuses.filter((status) => status !== 201).length <= 1, `${statuses}`)
    assert.ok(Object.values(await app.orders()).every((times) => times === 1))
  })

  test('the budget: a version that fails everything is not asked twice as often', async () => {
    const port = await freePort()
    await using v1 = await startTestApp('v1', { PORT: String(port) })
    const config = { versions: { v1: { url: v1.url } }, stable: 'v1', health: { ...health, failureThreshold: 100, passiveFailures: 0 } }
    await using baton = await startBaton({ config: { ...config, retry: { budget: '10%', min: 2 } } })
    await untilProbe(baton, 'ready', 'v1')
    for (let n = 0; n < 40; n++) assert.equal((await send({ port: baton.publicPort, path: '/cut' })).status, 502)
    const arrived = (await v1.seen()).requests
    assert.ok(arrived >= 42 && arrived <= 45, `${arrived} requests for 40`)
    assert.ok((await metric(baton, 'baton_retries_refused_total', { version: 'v1' })) >= 35)
    await until(
      async () => (await metric(baton, 'baton_in_flight')) === 0,
      () => 'in flight',
    )
  })
})
