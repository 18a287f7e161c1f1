/** A real WebSocket client reaches a real WebSocket server through baton. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { after, before, describe, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { type Baton, startBaton } from '../kit/baton.ts'
import { metric, untilProbe, versionOf } from '../kit/observed.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { until } from '../kit/until.ts'

const crowd = 100

describe('WebSocket', () => {
  /** In this process, so that a test can look at and cut the server's side of each socket. */
  const server = http.createServer((request, response) => response.end(`plain ${request.headers.upgrade ?? 'no upgrade'}`))
  const sockets = new WebSocketServer({ noServer: true })
  let port: number
  let baton: Baton

  before(async () => {
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/refuse') {
        return void socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 8\r\nx-why: token\r\n\r\nno token')
      }
      if (request.url === '/refuse-chunked') {
        return void socket.end('HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n')
      }
      sockets.handleUpgrade(request, socket, head, (peer) => sockets.emit('connection', peer, request))
    })
    sockets.on('connection', (peer, request: http.IncomingMessage) => {
      if (request.url === '/close-me') peer.close(4321, 'the app says so')
      peer.on('error', () => undefined)
      peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const target = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    baton = await startBaton({
      config: { versions: { v1: { url: target } }, stable: 'v1', timeouts: { idle: '500ms', exchange: '500ms' } },
    })
    await untilProbe(baton, 'ready', 'v1')
    port = baton.publicPort
  })

  after(async () => {
    await baton[Symbol.asyncDispose]()
    for (const peer of sockets.clients) peer.terminate()
    server.close().closeAllConnections()
  })

  async function open(path = '/ws', options: http.RequestOptions = {}): Promise<WebSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options)
    await once(socket, 'open')
    return socket
  }

  async function echo(socket: WebSocket, message: string | Buffer): Promise<{ data: Buffer; isBinary: boolean }> {
    const answered = once(socket, 'message')
    socket.send(message)
    const [data, isBinary] = (await answered) as [Buffer, boolean]
    return { data, isBinary }
  }

  async function close(socket: WebSocket): Promise<void> {
    const closed = once(socket, 'close')
    socket.close()
    await closed
  }

  const tunnelsEnded = () =>
    until(
      async () => (await versionOf(baton, 'v1')).inFlight === 0,
      () => 'tunnels stay in flight',
    )

  test('text and binary messages come back as they were, up to 1 MiB, with extensions agreed end to end', async () => {
    const socket = await open()
    assert.deepEqual(await echo(socket, 'hello'), { data: Buffer.from('hello'), isBinary: false })
    assert.deepEqual(await echo(socket, Buffer.from([0, 1, 254, 255])), { data: Buffer.from([0, 1, 254, 255]), isBinary: true })
    const large = Buffer.from(Uint8Array.from({ length: 1024 * 1024 }, (_, index) => (index * 7) % 253))
    assert.ok((await echo(socket, large)).data.equals(large))
    await close(socket)
    await tunnelsEnded()
    assert.equal(await metric(baton, 'baton_requests_total', { version: 'v1', status: '1xx' }), 1)
    assert.ok((await metric(baton, 'baton_received_bytes_total', { version: 'v1' })) > large.length)
  })

  test('subprotocol, path and version: what the app chose and what baton chose both arrive', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/a?b=c`, ['chat', 'other'])
    const upgraded = once(socket, 'upgrade')
    await once(socket, 'open')
    const [response] = (await upgraded) as [http.IncomingMessage]
    assert.equal(socket.protocol, 'chat')
    assert.equal(response.headers['x-served-by'], 'v1')
    await close(socket)
  })

  test('silence longer than any timeout does not end it; ping and pong pass', async () => {
    const socket = await open()
    const until = performance.now() + 1500
    while (performance.now() < until) {
      const pong = once(socket, 'pong')
      socket.ping('are you there')
      assert.equal(String((await pong)[0]), 'are you there')
      await new Promise((resolve) => setTimeout(resolve, 700)) // The silence is the input here.
    }
    assert.equal((await echo(socket, 'still')).data.toString(), 'still')
    await close(socket)
  })

  test('close codes and reasons pass, from the app and from the client', async () => {
    const toldByApp = new WebSocket(`ws://127.0.0.1:${port}/close-me`)
    const [code, reason] = (await once(toldByApp, 'close')) as [number, Buffer]
    assert.deepEqual([code, reason.toString()], [4321, 'the app says so'])
    const connected = once(sockets, 'connection')
    const toldByClient = await open()
    const [peer] = (await connected) as [WebSocket]
    const closed = once(peer, 'close')
    toldByClient.close(4999, 'the client says so')
    const [appCode, appReason] = (await closed) as [number, Buffer]
    assert.deepEqual([appCode, appReason.toString()], [4999, 'the client says so'])
    await tunnelsEnded()
  })

  for (const [path, status, body] of [
    ['/refuse', 401, 'no token'],
    ['/refuse-chunked', 403, 'no'],
  ] as const) {
    test(`an upgrade that the app refuses passes as its ${status}, whole`, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, http.IncomingMessage]
      let received = ''
      for await (const chunk of response) received += String(chunk)
      assert.deepEqual([response.statusCode, received, response.complete], [status, body, true])
      await tunnelsEnded()
    })
  }

  test(`${crowd} at once, each with its own messages`, async () => {
    const all = await Promise.all(Array.from({ length: crowd }, () => open()))
    assert.equal((await versionOf(baton, 'v1')).inFlight, crowd)
    const answers = await Promise.all(all.map((socket, index) => echo(socket, `message ${index}`)))
    assert.deepEqual(
      answers.map(({ data }) => data.toString()),
      all.map((_, index) => `message ${index}`),
    )
    await Promise.all(all.map(close))
    await tunnelsEnded()
  })

  test('a client that vanishes: the app sees it', async () => {
    const connected = once(sockets, 'connection')
    const socket = await open()
    const [peer] = (await connected) as [WebSocket]
    const closed = once(peer, 'close')
    socket.terminate()
    assert.equal(((await closed) as [number])[0], 1006)
    await tunnelsEnded()
  })

  test('an app that vanishes: the client sees it', async () => {
    const connected = once(sockets, 'connection')
    const socket = await open()
    const [peer] = (await connected) as [WebSocket]
    const closed = once(socket, 'close')
    peer.terminate()
    assert.equal(((await closed) as [number])[0], 1006)
    await tunnelsEnded()
  })

  test('clients that reset their connection within the upgrade do not end baton', async () => {
    for (let round = 0; round < 10; round++) {
      const client = await connectRaw({ port })
      client.send('GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n')
      client.send('sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
      client.reset()
    }
    const socket = await open()
    assert.equal((await echo(socket, 'alive')).data.toString(), 'alive')
    await close(socket)
    await tunnelsEnded()
  })

  test('a large message to a client that does not read does not fill baton', async () => {
    const connected = once(sockets, 'connection')
    const socket = await open()
    const [peer] = (await connected) as [WebSocket]
    socket.pause()
    let taken = 0
    const message = Buffer.alloc(1024 * 1024)
    const send = (): void => peer.send(message, (error) => (error === undefined || error === null) && ++taken < 64 && send())
    send()
    let last = -1
    let same = 0
    await until(
      () => {
        same = taken === last ? same + 1 : 0
        last = taken
        return same === 20
      },
      () => 'not settled',
    )
    // what the buffers of four sockets hold
    assert.ok(taken > 0 && taken < 32, `${taken} MiB were taken from the app`)
    socket.terminate()
    await tunnelsEnded()
  })

  test('another upgrade than WebSocket is served as an ordinary request, without it', async () => {
    const client = await connectRaw({ port })
    client.send(
      'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n',
    )
    await until(
      () => client.received.includes('plain no upgrade'),
      () => client.received.toString(),
    )
    assert.match(client.received.toString(), /^HTTP\/1\.1 200 OK\r\n/)
    client.destroy()
  })
})

test('a WebSocket that does not come to the end of its frame is cut and counted at the deadline of the end, and no later', async () => {
  const server = http.createServer()
  const sockets = new WebSocketServer({ server })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const target = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  try {
    await using baton = await startBaton({ config: { versions: { v1: { url: target } }, stable: 'v1', drain: { deadline: '500ms' } } })
    await untilProbe(baton, 'ready', 'v1')
    const client = await connectRaw({ port: baton.publicPort })
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n'
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`)
    await until(
      () => client.received.includes('101'),
      () => client.received.toString(),
    )
    // the head of a frame of five bytes, and one of them
    client.send(Buffer.from([0x82, 0x85, 1, 2, 3, 4, 5]))
    await until(
      async () => (await versionOf(baton, 'v1')).inFlight === 1,
      () => 'the tunnel is not under way',
    )
    assert.deepEqual(await baton.stop(), { code: 0, signal: null })
    client.destroy()
    assert.match(baton.output(), /"event":"version.drained","version":"v1","by":"stop","before":1,"cut":1/)
  } finally {
    for (const peer of sockets.clients) peer.terminate()
    server.close().closeAllConnections()
  }
})
