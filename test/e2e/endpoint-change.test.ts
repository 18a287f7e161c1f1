/** A version whose place changes by a swap: the new place takes over when it serves, and not before. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { describe, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { startBaton } from '../kit/baton.ts'
import { freePort } from '../kit/free-ports.ts'
import { startLoad } from '../kit/load.ts'
import { logged, statusOf, untilProbe, versionOf } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { startTestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const health = { http: '/healthz', fastInterval: '50ms', interval: '200ms' }

describe('a version whose address changes', () => {
  test('to a place where nobody is yet: the former one serves on, until the new one is ready, and no request fails', async () => {
    await using before = await startTestApp('before')
    const port = await freePort()
    const at = (url: string) => ({ versions: { v1: { url } }, stable: 'v1', health })
    await using baton = await startBaton({ config: at(before.url) })
    await untilProbe(baton, 'ready', 'v1')
    const by: string[] = []
    await using load = startLoad({
      port: baton.publicPort,
      workers: 4,
      request: () => ({ path: '/who' }),
      check({ status, headers, body }) {
        if (status !== 200) return `${status} ${headers['baton-error']}`
        by.push((JSON.parse(body) as { version: string }).version)
        return null
      },
    })
    const slow = send({ port: baton.publicPort, path: '/slow?ms=1500' })
    await until(
      async () => by.length > 20 && (await versionOf(baton, 'v1')).inFlight > 0,
      () => 'no load',
    )
    assert.equal((await baton.admin('PUT', '/v1/config', at(`http://127.0.0.1:${port}`))).status, 200)
    const then = by.length
    await until(
      () => by.length > then + 100,
      () => 'no load',
    )
    assert.ok(!by.includes('after'))
    await using _after = await startTestApp('after', { PORT: String(port) })
    await until(
      () => by.at(-1) === 'after',
      () => baton.output(),
    )
    assert.equal(logged(baton, 'version.replaced').length, 1)
    const { wrong, errors, connections } = await load.stop()
    assert.deepEqual([wrong, errors, connections], [[], {}, 4])
    assert.equal((JSON.parse((await slow).body) as { version: string }).version, 'before', 'what was under way ended where it was')
    await until(
      async () => (await statusOf(baton)).versions.length === 1,
      () => 'the former one never goes',
    )
  })

  test('back before the new place was ever ready: nothing has happened', async () => {
    await using app = await startTestApp('v1')
    const at = (url: string) => ({ versions: { v1: { url } }, stable: 'v1', health })
    await using baton = await startBaton({ config: at(app.url) })
    await untilProbe(baton, 'ready', 'v1')
    for (let n = 0; n < 5; n++) {
      assert.equal((await baton.admin('PUT', '/v1/config', at(`http://127.0.0.1:${await freePort()}`))).status, 200)
      assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
      assert.equal((await baton.admin('PUT', '/v1/config', at(app.url))).status, 200)
      assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
    }
    const { versions } = await statusOf(baton)
    assert.deepEqual(
      versions.map(({ endpoint, serving }) => [endpoint, serving]),
      [[`127.0.0.1:${app.port}`, true]],
    )
    assert.equal(logged(baton, 'version.not-ready').length, 0)
  })

  test('open WebSockets and streams of a version outlive every swap that leaves its place as it is', async () => {
    const server = http.createServer((_, response) => response.end('plain'))
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (peer) => peer.on('message', (data) => peer.send(data)))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    try {
      const dynamic = (n: number) => ({
        versions: { v1: { url }, [`other${n}`]: { url: 'http://127.0.0.1:1' } },
        stable: n % 2 === 0 ? 'v1' : `other${n}`,
        limits: { upstreamConnections: 100 + n },
        timeouts: { connect: `${n + 1}s` },
      })
      await using baton = await startBaton({ config: dynamic(0) })
      await untilProbe(baton, 'ready', 'v1')
      const socket = new WebSocket(`ws://127.0.0.1:${baton.publicPort}/`)
      await once(socket, 'open')
      for (let n = 1; n <= 8; n++) {
        assert.equal((await baton.admin('PUT', '/v1/config', dynamic(n))).status, 200)
        const answered = once(socket, 'message')
        socket.send(`message ${n}`)
        assert.equal(String((await answered)[0]), `message ${n}`)
      }
      assert.equal((await versionOf(baton, 'v1')).inFlight, 1)
      socket.terminate()
    } finally {
      for (const peer of sockets.clients) peer.terminate()
      server.close().closeAllConnections()
    }
  })
})
