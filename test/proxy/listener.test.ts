/** The public port: it starts on a socket that was bound before, and its end resets nobody. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatonError } from '../../src/errors.ts'
import { NodeServer } from '../../src/proxy/inbound/node.ts'
import { Listener } from '../../src/proxy/listener.ts'
import { addressSet } from '../../src/routing/address.ts'
import { oneVersion, runPlane } from '../kit/data-plane.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { isFree } from '../kit/free-ports.ts'
import { RawApp } from '../kit/raw-app.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { quiet, until } from '../kit/turns.ts'

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

async function setUp() {
  const app = await RawApp.listen()
  const world = new FakeWorld()
  const running = await runPlane(world, oneVersion(app.port))
  const end = async () => {
    await running[Symbol.asyncDispose]()
    await app.close()
  }
  return { app, world, running, end }
}

test('close gives the port up, even when nothing asked it to stop accepting before', async () => {
  const { running, end } = await setUp()
  await end()
  assert.equal(await isFree(running.port, '127.0.0.1'), true)
})

test('a connection that was accepted before the drain and has not sent its request yet is served', async () => {
  const { app, running, end } = await setUp()
  app.serve = (connection) => {
    app.changed = () => connection.received.includes('\r\n\r\n') && connection.send(answer)
  }
  const client = await connectRaw({ port: running.port })
  await until(() => running.plane.connectionCount === 1, 'it is accepted')
  const drained = running.plane.drain(30_000)
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => client.ending !== 'open', 'its connection is ended')
  assert.match(client.received.toString(), /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n/i)
  client.end()
  assert.equal(await drained, true)
  await end()
})

test('no new connection is taken once it drains', async () => {
  const { running, end } = await setUp()
  void running.plane.drain(30_000)
  await assert.rejects(connectRaw({ port: running.port }), { code: 'ECONNREFUSED' })
  await end()
})

test('an idle connection is ended once it has been idle for long enough, with a FIN and not a reset', async () => {
  const { world, running, end } = await setUp()
  const client = await connectRaw({ port: running.port })
  await until(() => running.plane.connectionCount === 1, 'it is accepted')
  const drained = running.plane.drain(30_000)
  await quiet()
  assert.equal(client.ending, 'open')
  world.advance(5_200)
  await until(() => client.ending !== 'open', 'it is ended')
  assert.equal(client.ending, 'fin')
  client.end()
  assert.equal(await drained, true)
  await end()
})

test('a connection that is not given up by its client is cut at the deadline, and the drain says so', async () => {
  const { world, running, end } = await setUp()
  const client = await connectRaw({ port: running.port })
  await until(() => running.plane.connectionCount === 1, 'it is accepted')
  client.send('GET / HTTP/1.1\r\n')
  const drained = running.plane.drain(2_000)
  world.advance(2_000)
  assert.equal(await drained, false)
  assert.ok(running.records.some(({ event, fields }) => event === 'baton.cutting' && fields.connections === 1))
  await end()
  await until(() => running.plane.connectionCount === 0, 'it is forgotten')
  client.destroy()
})

test('a drain leaves no timer of its own behind', async () => {
  const { world, running, end } = await setUp()
  await running.plane.drain(1_000)
  await end()
  assert.deepEqual(world.delays, [])
})

test('an fd that cannot be listened on is a bind error that names it', async () => {
  const world = new FakeWorld()
  const http = new NodeServer({
    world,
    accept: () => assert.fail('nothing comes in'),
    limits: () => assert.fail('nothing comes in'),
    trustedHops: () => addressSet([]),
    refused: () => {},
    connected: () => {},
  })
  const failure = new Listener(http, world).start(987_654)
  await assert.rejects(failure, (error) => error instanceof BatonError && error.code === 'bind' && /fd 987654/.test(error.message))
})
