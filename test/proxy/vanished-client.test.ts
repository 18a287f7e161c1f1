/** A client that vanishes or stalls, at each point of its request, leaves nothing behind and takes nobody down. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneVersion, runPlane } from '../kit/data-plane.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { RawApp } from '../kit/raw-app.ts'
import { connectRaw } from '../kit/raw-client.ts'
import type { RawSocket } from '../kit/raw-socket.ts'
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

const large = `HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(60_000)}`
/** More `large` responses than the kernel takes: the exchange of one of them ends with its bytes still in baton's hands. */
const requests = 400

async function unreadClient(port: number): Promise<RawSocket> {
  const client = await connectRaw({ port })
  client.socket.pause()
  for (let each = 0; each < requests; each += 1) client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  return client
}

test('a client that does not read the last bytes of its response is cut once idleMs is over', async () => {
  const { app, plane } = await setUp({ timeouts: { idle: '300ms' } })
  await using running = plane
  app.serve = (connection) => connection.socket.on('data', () => connection.send(large))
  const client = await unreadClient(running.port)
  await until(() => running.plane.connectionCount === 1 && running.inFlight() === 1, 'they have begun')
  await until(
    () => running.plane.connectionCount === 0,
    () => `the connection is cut (${running.inFlight()} in flight)`,
  )
  client.destroy()
  await app.close()
})

test('a client that is slow to read the last bytes, and reads on, gets every response whole', async () => {
  const { app, plane } = await setUp({ timeouts: { idle: '10s' } })
  await using running = plane
  app.serve = (connection) => connection.socket.on('data', () => connection.send(large))
  const client = await unreadClient(running.port)
  await until(() => running.inFlight() === 1, 'they have begun')
  await until(() => running.inFlight() === 0, 'an exchange is over, with bytes that the client has not taken')
  client.socket.resume()
  await until(() => client.received.length > requests * 60_000, 'all responses are here')
  await quiet()
  assert.equal(client.ending, 'open')
  assert.equal(client.received.toString('latin1').split('HTTP/1.1 200 OK').length - 1, requests)
  client.destroy()
  await app.close()
})

test('a client that was slow once is not cut for the silence of its next response', async () => {
  const { app, plane } = await setUp({ timeouts: { idle: '400ms' } })
  await using running = plane
  const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'
  app.serve = (connection) => connection.socket.on('data', (bytes) => connection.send(bytes.includes('/events') ? stream : large))
  const client = await unreadClient(running.port)
  client.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => running.inFlight() === 1, 'they have begun')
  await until(() => running.inFlight() === 0, 'an exchange is over, with bytes that the client has not taken')
  client.socket.resume()
  await until(() => client.received.subarray(-500).includes('text/event-stream'), 'the stream has begun')
  await new Promise((resolve) => setTimeout(resolve, 700))
  assert.equal(client.ending, 'open')
  client.destroy()
  await app.close()
})

const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

async function tunnel(plane: { readonly port: number; inFlight(): number }, app: RawApp) {
  app.serve = (connection) => connection.socket.once('data', () => connection.send(switched))
  const client = await connectRaw({ port: plane.port })
  client.send(`${upgrade}\r\n`)
  await until(() => client.received.includes('\r\n\r\n'), 'the tunnel stands')
  const far = app.connections.find(({ received }) => received.includes('/ws'))
  assert.ok(far !== undefined)
  return { client, far }
}

test('a tunnel whose app has gone ends even if its client never closes', async () => {
  const { app, plane } = await setUp({ timeouts: { idle: '300ms' } })
  await using running = plane
  const { client, far } = await tunnel(running, app)
  far.socket.end('bye')
  await until(() => client.ending === 'fin' && client.received.includes('bye'), 'the client has all that the app said')
  await until(() => running.inFlight() === 0 && running.plane.connectionCount === 0, 'nothing is left of it')
  await app.close()
})

test('a tunnel whose client has gone ends even if its app never closes', async () => {
  const { app, world, plane } = await setUp({ timeouts: { idle: '10s' } })
  await using running = plane
  const { client, far } = await tunnel(running, app)
  client.destroy()
  await until(() => far.ending === 'fin', 'the app has heard of it')
  world.advance(9_000)
  far.send('late')
  await quiet()
  world.advance(9_000)
  assert.equal(running.inFlight(), 1)
  world.advance(2_000)
  assert.equal(running.inFlight(), 0)
  await app.close()
})

test('a tunnel that both keep open is left alone, however long it is silent', async () => {
  const { app, world, plane } = await setUp({ timeouts: { idle: '50ms', exchange: '50ms', keepAlive: '50ms' } })
  await using running = plane
  const { client, far } = await tunnel(running, app)
  world.advance(3_600_000)
  await new Promise((resolve) => setTimeout(resolve, 200))
  client.send('ping')
  await until(() => far.received.includes('ping'), 'it still carries')
  client.destroy()
  far.end()
  await until(() => running.inFlight() === 0, 'it has ended')
  await app.close()
})

test('trailers of a refused upgrade arrive as they are', async () => {
  const { app, plane } = await setUp()
  await using running = plane
  const refusal = 'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nno\r\n0\r\nx-sum: 42\r\n\r\n'
  app.serve = (connection) => connection.socket.once('data', () => connection.send(refusal))
  const client = await connectRaw({ port: running.port })
  client.send(`${upgrade}\r\n`)
  await until(() => client.ending !== 'open', 'the answer is whole')
  assert.match(client.received.toString(), /\r\n0\r\nx-sum: 42\r\n\r\n$/i)
  client.destroy()
  await app.close()
})

for (const [what, leave, expected] of [
  ['resets', (client: RawSocket) => client.reset(), ['client-gone 1']],
  ['closes', (client: RawSocket) => client.destroy(), []],
] as const)
  test(`a tunnel whose client ${what} ends once, with ${expected.join() || 'no fault'} and one place at the gate`, async () => {
    const { app, plane } = await setUp()
    await using running = plane
    const { client, far } = await tunnel(running, app)
    assert.equal(running.plane.gate.inside, 1)
    leave(client)
    await until(() => far.ending !== 'open', 'the app has heard of it')
    far.destroy()
    await until(() => running.inFlight() === 0, 'it is over')
    await quiet()
    assert.equal(running.plane.gate.inside, 0)
    const faults = running.metrics.samples('baton_faults_total').map(({ labels, value }) => `${labels.code} ${value}`)
    assert.deepEqual(faults, expected)
    assert.equal(
      running.metrics.series('v1', null).requests.reduce((sum, each) => sum + each),
      1,
    )
    await app.close()
  })
