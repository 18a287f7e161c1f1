/** How each exchange counts for the version that it went to: as a request, and as an error of which kind or of none. Real sockets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailureKind } from '../../src/upstream/claim.ts'
import { oneVersion, type RunningPlane, runPlane, versionsOf } from '../kit/data-plane.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { RawApp } from '../kit/raw-app.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { send } from '../kit/send.ts'
import { standsStill, until } from '../kit/turns.ts'

async function setUp(more: Readonly<Record<string, unknown>> = {}) {
  const app = await RawApp.listen()
  const world = new FakeWorld()
  const running = await runPlane(world, oneVersion(app.port, more))
  await app.hangUp()
  return { app, world, running }
}

/** Each connection answers every request with these bytes; then it is reset, or left. */
function answers(app: RawApp, bytes: string, then: 'stay' | 'reset' = 'stay'): void {
  app.serve = (connection) =>
    connection.socket.on('data', () => {
      if (bytes !== '') connection.send(bytes)
      if (then === 'reset') connection.socket.end()
    })
}

async function counted(running: RunningPlane, version = 'v1') {
  await until(() => running.inFlight() === 0, 'nothing is under way')
  const measured = running.versions.get(version)?.measure(60_000)
  assert.ok(measured)
  const { requests, errors, errorsByKind } = measured
  const kinds = (Object.entries(errorsByKind) as [FailureKind, number][]).filter(([, count]) => count > 0)
  return { requests, errors, kinds: Object.fromEntries(kinds) }
}

for (const [status, isError] of [
  [200, false],
  [404, false],
  [499, false],
  [500, true],
  [503, true],
] as const) {
  test(`an answer of ${status} is ${isError ? 'an error' : 'none'}`, async () => {
    const { app, running: plane } = await setUp()
    await using running = plane
    answers(app, `HTTP/1.1 ${status} So\r\nContent-Length: 0\r\n\r\n`)
    assert.equal((await send({ port: running.port })).status, status)
    assert.deepEqual(await counted(running), { requests: 1, errors: isError ? 1 : 0, kinds: isError ? { status: 1 } : {} })
    await app.close()
  })
}

test('an app that closes instead of answering a POST has failed to answer', async () => {
  const { app, running: plane } = await setUp()
  await using running = plane
  answers(app, '', 'reset')
  assert.equal((await send({ port: running.port, method: 'POST', body: 'x' })).status, 502)
  assert.deepEqual(await counted(running), { requests: 1, errors: 1, kinds: { reset: 1 } })
  await app.close()
})

test('a response that breaks off is an error, though its status was 200', async () => {
  const { app, running: plane } = await setUp()
  await using running = plane
  answers(app, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 'reset')
  await assert.rejects(send({ port: running.port, method: 'POST', body: 'x' }))
  assert.deepEqual(await counted(running), { requests: 1, errors: 1, kinds: { reset: 1 } })
  await app.close()
})

test('what is no HTTP is an error', async () => {
  const { app, running: plane } = await setUp()
  await using running = plane
  answers(app, 'SSH-2.0-OpenSSH\r\n\r\n')
  assert.equal((await send({ port: running.port, method: 'POST', body: 'x' })).status, 502)
  assert.deepEqual(await counted(running), { requests: 1, errors: 1, kinds: { protocol: 1 } })
  await app.close()
})

test('an app that does not answer in time has failed, and its requests count while they hang', async () => {
  const { app, world, running: plane } = await setUp({ timeouts: { head: '5s' } })
  await using running = plane
  answers(app, '')
  const hanging = send({ port: running.port })
  await until(() => app.connections.some(({ received }) => received.length > 0), 'the app has it')
  world.advance(4_000)
  const during = running.versions.get('v1')?.measure(60_000)
  assert.deepEqual([during?.requests, during?.timed, during?.inFlight], [0, 1, 1])
  assert.ok((during?.p99 ?? 0) > 3_800)
  world.advance(2_000)
  assert.equal((await hanging).status, 504)
  assert.deepEqual(await counted(running), { requests: 1, errors: 1, kinds: { timeout: 1 } })
  await app.close()
})

for (const [what, timeouts] of [
  ['falls silent', { idle: '5s' }],
  ['takes longer than an exchange may', { exchange: '5s' }],
] as const) {
  test(`a response that ${what} is an error, though its status was 200`, async () => {
    const { app, world, running: plane } = await setUp({ timeouts })
    await using running = plane
    answers(app, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
    const client = await connectRaw({ port: running.port })
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => client.received.includes('half'), 'the response has begun')
    world.advance(6_000)
    assert.deepEqual(await counted(running), { requests: 1, errors: 1, kinds: { timeout: 1 } })
    client.destroy()
    await app.close()
  })
}

test('a response that takes longer than an exchange may since its client does not read it is no error', async () => {
  const { app, world, running: plane } = await setUp({ timeouts: { exchange: '5s' } })
  await using running = plane
  const length = 64 * 1024 * 1024
  answers(app, `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length / 2)}`)
  const client = await connectRaw({ port: running.port })
  client.socket.pause()
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => app.connections.some(({ socket }) => socket.writableLength > 0), 'the app has begun to answer')
  assert.notEqual(await standsStill(() => app.connections.reduce((sum, { socket }) => sum + socket.writableLength, 0)), 0)
  world.advance(6_000)
  assert.deepEqual(await counted(running), { requests: 1, errors: 0, kinds: {} })
  client.destroy()
  await app.close()
})

test('an attempt that the same version makes good counts once, as the good one', async () => {
  const { app, running: plane } = await setUp()
  await using running = plane
  let seen = 0
  app.serve = (connection) =>
    connection.socket.on('data', () => {
      seen += 1
      if (seen === 1) connection.socket.end()
      else connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  assert.equal((await send({ port: running.port })).status, 200)
  assert.equal(seen, 2)
  assert.deepEqual(await counted(running), { requests: 1, errors: 0, kinds: {} })
  await app.close()
})

test('an attempt that another version makes good is an error of the first, and none of the other', async () => {
  const [bad, good] = [await RawApp.listen(), await RawApp.listen()]
  const route = { name: 'r', match: { path: '/x' }, to: 'v2', fallback: 'v1' }
  await using running = await runPlane(new FakeWorld(), { ...versionsOf({ v1: good.port, v2: bad.port }), routes: [route] })
  await bad.hangUp()
  answers(bad, '', 'reset')
  answers(good, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.equal((await send({ port: running.port, path: '/x' })).status, 200)
  assert.deepEqual(await counted(running, 'v2'), { requests: 1, errors: 1, kinds: { reset: 1 } })
  assert.deepEqual(await counted(running, 'v1'), { requests: 1, errors: 0, kinds: {} })
  await Promise.all([bad.close(), good.close()])
})

test('a client that leaves is a request, and no error of the version', async () => {
  const { app, running: plane } = await setUp()
  await using running = plane
  const client = await connectRaw({ port: running.port })
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => app.connections.some(({ received }) => received.length > 0), 'the app has it')
  client.reset()
  assert.deepEqual(await counted(running), { requests: 1, errors: 0, kinds: {} })
  await app.close()
})

test('a tunnel that breaks off is no error: it was answered as it opened', async () => {
  const { app, running: plane } = await setUp()
  await using running = plane
  answers(app, 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  const client = await connectRaw({ port: running.port })
  client.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await until(() => client.received.includes('101'), 'the tunnel is open')
  for (const connection of app.connections) connection.destroy()
  await until(() => client.ending !== 'open', 'the client has heard')
  client.destroy()
  const measured = await counted(running)
  assert.deepEqual(measured, { requests: 1, errors: 0, kinds: {} })
  assert.equal(running.versions.get('v1')?.measure(60_000).timed, 0)
  await app.close()
})

test('a request that a drain cuts is no error of the version', async () => {
  const { app, running: plane } = await setUp()
  await using running = plane
  answers(app, '')
  const cut = send({ port: running.port }).catch(() => null)
  await until(() => app.connections.some(({ received }) => received.length > 0), 'the app has it')
  const version = running.versions.get('v1')
  await running.versions.stop(0)
  await cut
  const { requests, errors } = version?.measure(60_000) ?? { requests: -1, errors: -1 }
  assert.deepEqual([requests, errors], [1, 0])
  await app.close()
})
