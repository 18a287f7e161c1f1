/** An exchange against a clock that the test moves: whose fault a deadline is, what waiting costs, and what each end leaves behind. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { runPlane, versionsOf } from '../kit/data-plane.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { RawApp } from '../kit/raw-app.ts'
import { connectRaw } from '../kit/raw-client.ts'
import type { RawSocket } from '../kit/raw-socket.ts'
import { quiet, until } from '../kit/turns.ts'

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'

async function setUp(t: TestContext, more: Readonly<Record<string, unknown>> = {}) {
  const app = await RawApp.listen()
  const world = new FakeWorld()
  const running = await runPlane(world, { ...versionsOf({ v1: app.port }), ...more })
  const clients: RawSocket[] = []
  const connect = async () => {
    const client = await connectRaw({ port: running.port })
    clients.push(client)
    return client
  }
  t.after(async () => {
    for (const client of clients) client.destroy()
    await running[Symbol.asyncDispose]()
    await app.close()
  })
  /** The app's connection on which this text came. */
  const at = async (text: string): Promise<RawSocket> => {
    const find = () => app.connections.find(({ received }) => received.includes(text))
    await until(() => find() !== undefined, `the app has ${text}`)
    const found = find()
    assert.ok(found !== undefined)
    return found
  }
  return { app, world, running, connect, at }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const post = (path: string, length: number) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`
/** Of unknown length, so that the body is asked for only when a connection to the app is there. */
const upload = (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`

async function answered(client: RawSocket): Promise<string> {
  await until(() => client.received.includes('\r\n\r\n'), 'there is an answer')
  return client.received.toString()
}

test('the time that a request waited at the gate is not taken from the version', async (t) => {
  const { world, running, connect, at } = await setUp(t, { limits: { exchanges: 1, queueTimeout: '1h' }, timeouts: { head: '10s' } })
  const [first, second] = [await connect(), await connect()]
  first.send(get('/first'))
  ;(await at('/first')).send(stream)
  second.send(get('/second'))
  await until(() => running.plane.gate.waiting === 1, 'the second waits')
  world.advance(60_000)
  first.destroy()
  const served = await at('/second')
  world.advance(9_000)
  served.send(ok)
  assert.match(await answered(second), /^HTTP\/1\.1 200 /)
})

test('a client whose body nobody has asked for is not blamed for sending none', async (t) => {
  const { world, running, connect, at } = await setUp(t, { limits: { upstreamConnections: 1 }, timeouts: { idle: '10s', connect: '5s' } })
  const [first, second] = [await connect(), await connect()]
  first.send(get('/first'))
  ;(await at('/first')).send(stream)
  second.send(upload('/second'))
  await until(() => running.inFlight() === 2, 'the second waits for a connection')
  world.advance(11_000)
  assert.match(await answered(second), /^HTTP\/1\.1 504 /)
})

test('a body that is asked for late has its whole time from then on', async (t) => {
  const { world, running, connect, at } = await setUp(t, { limits: { upstreamConnections: 1 }, timeouts: { idle: '10s' } })
  const [first, second] = [await connect(), await connect()]
  first.send(get('/first'))
  const held = await at('/first')
  held.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
  second.send(upload('/second'))
  await until(() => running.inFlight() === 2, 'the second waits for a connection')
  world.advance(9_000)
  held.send('0\r\n\r\n')
  await until(() => running.inFlight() === 1, 'the connection is free')
  await quiet()
  world.advance(9_000)
  second.send('2\r\nab\r\n0\r\n\r\n')
  const served = await at('ab')
  served.send(ok)
  assert.match(await answered(second), /^HTTP\/1\.1 200 /)
})

test('a client too slow for the whole exchange does not count against its version', async (t) => {
  const app = await RawApp.listen()
  t.after(() => app.close())
  const { world, running, connect, at, app: first } = await setUp(t)
  const health = { tcp: true, successThreshold: 1, passiveFailures: 1 }
  running.swap({ ...versionsOf({ v1: first.port, v2: app.port }), health, timeouts: { exchange: '10s' } })
  await until(() => running.versions.servingCount() === 2, 'both serve')
  const client = await connect()
  client.send(`${post('/upload', 10)}12345`)
  await at('12345')
  world.advance(11_000)
  assert.match(await answered(client), /^HTTP\/1\.1 504 /)
  assert.ok(!running.records.some(({ event }) => event === 'version.not-ready'))
})

test('from SIGTERM on, an answer of baton itself is the last one of its connection too', async (t) => {
  const { running, connect } = await setUp(t)
  const client = await connect()
  await until(() => running.plane.connectionCount === 1, 'it is connected')
  void running.plane.drain(10_000)
  client.send('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(await answered(client), /^HTTP\/1\.1 204 .*\r\nconnection: close\r\n/is)
})
