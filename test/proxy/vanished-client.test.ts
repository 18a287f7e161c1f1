/** A client that vanishes or stalls, at each point of its request, leaves nothing behind and takes nobody down. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneVersion, runPlane } from '../kit/data-plane.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { RawApp } from '../kit/raw-app.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { quiet, until } from '../kit/turns.ts'

const upgrade = 'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'

async function setUp(more: Readonly<Record<string, unknown>> = {}) {
  const app = await RawApp.listen()
  const world = new FakeWorld()
  const plane = await runPlane(world, oneVersion(app.port, more))
  await app.hangUp()
  return { app, world, plane }
}

for (const [what, bytes] of [
  ['a refused CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
  ['a refused upgrade', `${upgrade}Host: b\r\n\r\n`],
  ['an upgrade behind a request that is not answered yet', `GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${upgrade}\r\n`],
] as const) {
  test(`a reset after ${what} is not baton's end`, async () => {
    const { app, plane } = await setUp()
    await using running = plane
    const client = await connectRaw({ port: running.port })
    client.send(bytes)
    await until(() => client.received.length > 0 || app.connections.some(({ received }) => received.length > 0), 'the request was read')
    client.reset()
    await until(() => running.plane.connectionCount === 0, 'the connection is forgotten')
    await quiet()
    assert.equal(running.inFlight(), 0)
    await app.close()
  })
}

test('what a client pipelined before it left begins no exchange', async () => {
  const { app, plane } = await setUp()
  await using running = plane
  const client = await connectRaw({ port: running.port })
  client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => app.connections.some(({ received }) => received.includes('/first')), 'the app has the first request')
  client.reset()
  await until(() => running.plane.connectionCount === 0, 'the connection is forgotten')
  await quiet()
  assert.equal(running.inFlight(), 0)
  assert.deepEqual(running.metrics.samples('baton_faults_total'), [{ labels: { version: 'v1', code: 'client-gone' }, value: 1 }])
  await app.close()
})
