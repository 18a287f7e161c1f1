/** A drain says goodbye to real clients of a real app: WebSockets between two frames, event streams between two events. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import type { DrainReport } from '../../src/upstream/drain-report.ts'
import { realWorld } from '../../src/world.ts'
import { oneVersion, type RunningPlane, runPlane } from '../kit/data-plane.ts'
import { RawApp } from '../kit/raw-app.ts'
import { connectRaw } from '../kit/raw-client.ts'
import type { RawSocket } from '../kit/raw-socket.ts'
import { send } from '../kit/send.ts'
import { quiet, until } from '../kit/turns.ts'

/** Long enough that nothing here is cut but what the test means to be cut. */
const patient = { graceMs: 20_000, deadlineMs: 20_000 }
const hasty = { graceMs: 300, deadlineMs: 300 }

async function planeTo(t: TestContext, port: number): Promise<RunningPlane> {
  const running = await runPlane(realWorld, oneVersion(port))
  t.after(() => running[Symbol.asyncDispose]())
  return running
}

function drain(running: RunningPlane, limits = patient): Promise<DrainReport> {
  const supervised = running.versions.supervised('v1')
  assert.ok(supervised !== undefined)
  return supervised.drain('operator', limits)
}

function counted(
  running: RunningPlane,
  name: 'graceful_shutdown_failures_total' | 'active_connections_before' | 'active_connections_after',
) {
  return running.metrics.samples(name).map(({ labels, value }) => [labels.kind ?? labels.version, value])
}

interface Peer {
  readonly socket: WebSocket
  readonly messages: Buffer[]
  readonly errors: unknown[]
  readonly closed: Promise<number>
}

function follow(socket: WebSocket): Peer {
  const peer: Peer = { socket, messages: [], errors: [], closed: once(socket, 'close').then(([code]) => Number(code)) }
  socket.on('message', (data) => peer.messages.push(data as Buffer))
  socket.on('error', (error) => peer.errors.push(error))
  return peer
}

/** A WebSocket app and clients of it through the data plane. */
async function setUp(t: TestContext, options: { readonly perMessageDeflate: boolean } = { perMessageDeflate: false }) {
  const server = http.createServer()
  const sockets = new WebSocketServer({ server, ...options })
  const apps: Peer[] = []
  sockets.on('connection', (socket) => apps.push(follow(socket)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const running = await planeTo(t, (server.address() as AddressInfo).port)
  const opened: WebSocket[] = []
  t.after(() => {
    for (const socket of [...opened, ...sockets.clients]) socket.terminate()
    server.close().closeAllConnections()
  })
  const connect = async (): Promise<Peer> => {
    const socket = new WebSocket(`ws://127.0.0.1:${running.port}/`, options)
    opened.push(socket)
    const peer = follow(socket)
    await once(socket, 'open')
    return peer
  }
  return { running, apps, connect }
}

/** A message that says itself whether it is whole. */
function sealed(length: number): Buffer {
  const body = randomBytes(length)
  return Buffer.concat([createHash('sha256').update(body).digest(), body])
}

function isWhole(message: Buffer): boolean {
  return createHash('sha256').update(message.subarray(32)).digest().equals(message.subarray(0, 32))
}

/** The largest is more than all buffers on its way can hold, so that some frame is half-way at any moment. */
const sizes = [8_000_000, 3, 90, 4_000, 70_000]

/** Sends large and fragmented messages, pings between them, until the socket closes. */
function flood(socket: WebSocket): void {
  const messages = sizes.map(sealed)
  let round = 0
  const go = (): void => {
    if (socket.readyState !== WebSocket.OPEN) return
    round += 1
    const message = messages[round % messages.length] ?? sealed(1)
    const parts = 1 + (round % 3)
    const size = Math.ceil(message.length / parts)
    if (round % 7 === 0) socket.ping()
    for (let part = 0; part < parts; part += 1) {
      const last = part === parts - 1
      const sent = message.subarray(part * size, last ? message.length : (part + 1) * size)
      socket.send(sent, { binary: true, fin: last }, last ? () => setImmediate(go) : undefined)
    }
  }
  go()
}

describe('WebSockets of a version that drains', () => {
  test('hear 1012, the app hears 1001, and the drain is over long before its deadline', async (t) => {
    const { running, apps, connect } = await setUp(t)
    const clients = await Promise.all(Array.from({ length: 40 }, connect))
    await until(() => apps.length === clients.length, 'the app has all')
    const report = await drain(running)
    assert.deepEqual(await Promise.all(clients.map(({ closed }) => closed)), new Array(40).fill(1012))
    assert.deepEqual(await Promise.all(apps.map(({ closed }) => closed)), new Array(40).fill(1001))
    const { before, asked, ended, cut } = report.kinds.tunnel
    assert.deepEqual([report.is, before, asked, ended, cut], ['done', 40, 40, 0, 0])
    assert.ok(report.tookMs < patient.deadlineMs)
    assert.deepEqual(
      [...clients, ...apps].flatMap(({ errors }) => errors),
      [],
    )
    await until(() => running.plane.connectionCount === 0, 'no client connection is left')
    assert.deepEqual(running.metrics.samples('baton_faults_total'), [])
    assert.deepEqual(counted(running, 'active_connections_before'), [['v1', 40]])
    assert.deepEqual(counted(running, 'active_connections_after'), [['v1', 0]])
    assert.deepEqual(counted(running, 'graceful_shutdown_failures_total'), [])
    const [record] = running.records.filter(({ event }) => event === 'version.drained')
    assert.deepEqual([record?.fields.version, record?.fields.before, record?.fields.cut], ['v1', 40, 0])
  })

  for (const perMessageDeflate of [false, true])
    test(`floods in both directions, ${perMessageDeflate ? 'compressed' : 'plain'}: every message that arrives is whole`, async (t) => {
      const { running, apps, connect } = await setUp(t, { perMessageDeflate })
      const clients = await Promise.all(Array.from({ length: 3 }, connect))
      await until(() => apps.length === clients.length, 'the app has all')
      const peers = [...clients, ...apps]
      for (const { socket } of peers) flood(socket)
      await until(() => peers.every(({ messages }) => messages.length > sizes.length), 'messages go both ways')
      // they have all come so far in step; the largest is on its way again
      await quiet(16)
      const { cut } = await drain(running)
      assert.equal(cut, 0)
      assert.deepEqual(new Set(await Promise.all(clients.map(({ closed }) => closed))), new Set([1012]))
      assert.deepEqual(new Set(await Promise.all(apps.map(({ closed }) => closed))), new Set([1001]))
      assert.deepEqual(
        peers.flatMap(({ errors }) => errors),
        [],
      )
      for (const { messages } of peers) assert.ok(messages.every(isWhole))
    })

  test('that never answer are cut at the deadline, and counted by kind', async (t) => {
    const { running, apps } = await setUp(t)
    const client = await connectRaw({ port: running.port })
    const key = 'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    client.send(`GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n${key}\r\n`)
    await until(() => apps.length === 1 && client.received.includes('\r\n\r\n'), 'it is open')
    const { kinds } = await drain(running, hasty)
    assert.deepEqual([kinds.tunnel.before, kinds.tunnel.asked, kinds.tunnel.cut], [1, 0, 1])
    assert.deepEqual(counted(running, 'graceful_shutdown_failures_total'), [['tunnel', 1]])
    assert.deepEqual(counted(running, 'active_connections_after'), [['v1', 1]])
    assert.equal(await apps[0]?.closed, 1001)
    await until(() => client.ending !== 'open', 'the client is cut')
    assert.deepEqual([...client.received.subarray(-4)], [0x88, 2, 0x03, 0xf4])
  })

  test('whose app drops its connection in place of answering still hear 1012, and the app is not blamed', async (t) => {
    const { running, apps, connect } = await setUp(t)
    const client = await connect()
    await until(() => apps.length === 1, 'the app has it')
    const app = apps[0]?.socket as unknown as { readonly _socket: Socket }
    app._socket.on('data', () => app._socket.destroy())
    const { cut } = await drain(running)
    assert.equal(await client.closed, 1012)
    assert.equal(cut, 0)
    assert.deepEqual(running.metrics.samples('baton_faults_total'), [])
  })

  test('live on where the drain is undone before they were asked', async (t) => {
    const { running, apps, connect } = await setUp(t)
    const clients = await Promise.all(Array.from({ length: 30 }, connect))
    await until(() => apps.length === clients.length, 'the app has all')
    const report = drain(running)
    assert.equal(running.versions.supervised('v1')?.undrain(), true)
    const { is } = await report
    assert.equal(is, 'undone')
    const gone = (await Promise.all(clients.map(({ socket, closed }) => Promise.race([closed, echo(socket)])))).filter(
      (what) => what === 1012,
    )
    assert.ok(gone.length <= 10, `${gone.length} of 30 were asked within one instant`)
    const fresh = await connect()
    assert.equal(fresh.socket.readyState, WebSocket.OPEN)

    async function echo(socket: WebSocket): Promise<string> {
      socket.ping()
      await once(socket, 'pong')
      return 'alive'
    }
  })
})

describe('event streams of a version that drains', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n'
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

  async function open(t: TestContext, fields = '', first = chunk('data: one\n\n')) {
    const app = await RawApp.listen()
    const running = await planeTo(t, app.port)
    const client = await connectRaw({ port: running.port })
    t.after(async () => {
      client.destroy()
      await app.close()
    })
    client.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n')
    const find = () => app.connections.find(({ received }) => received.includes('/events'))
    await until(() => find() !== undefined, 'the app is asked')
    const stream = find() as RawSocket
    stream.send(`${head}${fields}\r\n${first}`)
    await until(() => client.received.includes('\r\n\r\n') && (first === '' || client.received.includes('one')), 'it streams')
    return { app, running, client, stream }
  }

  test('end at once between two events, whole, and the connection serves on', async (t) => {
    const { app, running, client, stream } = await open(t)
    const { kinds, cut } = await drain(running)
    assert.deepEqual([kinds.stream.before, kinds.stream.asked, cut], [1, 1, 0])
    await until(() => client.received.toString().endsWith('\r\n0\r\n\r\n'), 'the response ends')
    assert.equal(client.ending, 'open')
    await until(() => stream.ending !== 'open', 'the app hears that its client is gone')
    running.versions.supervised('v1')?.undrain()
    client.send('GET /again HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => app.connections.some(({ received }) => received.includes('/again')), 'the same connection asks again')
    assert.deepEqual(running.metrics.samples('baton_faults_total'), [])
  })

  test('end after the event that is under way, wherever its pieces are cut', async (t) => {
    const { running, client, stream } = await open(t, '', chunk('data: one\r\n\r\ndata: tw'))
    const report = drain(running)
    await quiet()
    assert.equal(running.inFlight(), 1)
    for (const piece of ['o\r\n', 'data: still two\r', '\n\r']) {
      stream.send(chunk(piece))
      await until(() => client.received.includes(piece), 'it is passed on')
    }
    stream.send(chunk('\ndata: three\r\n\r\n'))
    assert.equal((await report).cut, 0)
    await until(() => client.received.toString().endsWith('\r\n0\r\n\r\n'), 'the response ends')
    assert.match(client.received.toString(), /still two/)
    assert.ok(!client.received.includes('three'))
  })

  for (const [what, fields, first] of [
    ['of coded bytes', 'Content-Encoding: gzip\r\n', 'data: one\n\n'],
    ['within an event that never ends', '', 'data: one'],
  ] as const)
    test(`${what} are cut at the deadline, where the client can tell`, async (t) => {
      const { running, client } = await open(t, fields, chunk(first))
      const { kinds } = await drain(running, hasty)
      assert.deepEqual([kinds.stream.before, kinds.stream.cut], [1, 1])
      await until(() => client.ending !== 'open', 'the client is cut')
      assert.ok(!client.received.toString().endsWith('\r\n0\r\n\r\n'))
      assert.deepEqual(counted(running, 'graceful_shutdown_failures_total'), [['stream', 1]])
    })

  test('before their first event end as well', async (t) => {
    const { running, client } = await open(t, '', '')
    assert.equal((await drain(running)).cut, 0)
    await until(() => client.received.toString().endsWith('\r\n\r\n0\r\n\r\n'), 'the response ends')
  })
})

test('a request of a version that drains is answered, later ones are not let in, and an idle connection to the app is closed', async (t) => {
  const app = await RawApp.listen()
  const running = await planeTo(t, app.port)
  t.after(() => app.close())
  const answer = send({ port: running.port, path: '/slow' })
  const find = (path: string) => app.connections.find(({ received }) => received.includes(path))
  await until(() => find('/slow') !== undefined, 'the app is asked')
  const report = drain(running)
  assert.equal((await send({ port: running.port, path: '/late' })).status, 503)
  find('/slow')?.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  assert.equal((await answer).body, 'ok')
  const { kinds } = await report
  assert.deepEqual([kinds.request.before, kinds.request.ended, kinds.request.cut], [1, 1, 0])
  await until(() => find('/slow')?.ending === 'fin', 'the connection to the app is closed')
  assert.equal(find('/late'), undefined)
})
