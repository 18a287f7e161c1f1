import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { type ExampleApp, startExampleApp } from '../kit/example-app.ts'

async function open(t: TestContext, app: ExampleApp): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${app.port}/ws`)
  t.after(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

/** A socket past the opening handshake, for frames that no client library would send. */
async function openRaw(t: TestContext, app: ExampleApp): Promise<Socket> {
  const socket = connect(app.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: app\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  const [head] = await once(socket, 'data')
  // The example of RFC 6455 section 1.3.
  assert.match(String(head), /^HTTP\/1\.1 101 [\s\S]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/)
  return socket
}

/** A client's frame with the mask 0: the payload stays as it is. */
function frame(first: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([first, 0x80 | payload.length])
      : Buffer.from([first, 0x80 | 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The code of the close frame that the app answers these bytes with, as its last word. */
async function closeCodeFor(t: TestContext, app: ExampleApp, bytes: Buffer): Promise<number> {
  const socket = await openRaw(t, app)
  socket.write(bytes)
  const answer = await readToEnd(socket)
  const at = answer.indexOf(0x88)
  assert.equal(at, 0, `expected a close frame, got ${answer.toString('hex')}`)
  return answer.readUInt16BE(2)
}

describe('example app, WebSocket echo (RFC 6455)', () => {
  test('echoes text and binary, in order, up to 64 KiB', async (t) => {
    const socket = await open(t, await startExampleApp(t))
    for (const size of [0, 1, 125, 126, 65_535, 65_536]) {
      const sent = Buffer.alloc(size, 'é')
      socket.send(sent)
      const [data, binary] = await once(socket, 'message')
      assert.ok(binary)
      assert.deepEqual(data, sent)
    }
    socket.send('grüße')
    const [text, binary] = await once(socket, 'message')
    assert.equal(binary, false)
    assert.equal(String(text), 'grüße')
  })

  test('joins fragments, with a ping between them (5.4)', async (t) => {
    const socket = await open(t, await startExampleApp(t))
    const heard: string[] = []
    socket.on('pong', (data) => heard.push(`pong ${data}`))
    socket.send('one ', { fin: false })
    socket.ping('now')
    socket.send('two ', { fin: false })
    socket.send('three', { fin: true })
    const [data] = await once(socket, 'message')
    assert.equal(String(data), 'one two three')
    assert.deepEqual(heard, ['pong now'])
  })

  test('frames that come byte by byte, or many at once, are read the same', async (t) => {
    const app = await startExampleApp(t)
    const socket = await openRaw(t, app)
    socket.setNoDelay(true)
    const bytes = Buffer.concat([
      frame(0x81, Buffer.from('a')),
      frame(0x82, Buffer.alloc(200, 'b')),
      frame(0x88, Buffer.from([0x03, 0xe8])),
    ])
    for (const byte of bytes) socket.write(Buffer.from([byte]))
    const expected = Buffer.concat([Buffer.from('8101', 'hex'), Buffer.from('a'), Buffer.from('827e00c8', 'hex'), Buffer.alloc(200, 'b')])
    const answer = await readToEnd(socket)
    assert.deepEqual(answer, Buffer.concat([expected, Buffer.from('880203e8', 'hex')]))
    const again = await openRaw(t, app)
    again.write(bytes)
    assert.deepEqual(await readToEnd(again), answer)
  })

  test('answers a close with its code, and an empty one with 1000 (5.5.1)', async (t) => {
    const app = await startExampleApp(t)
    const socket = await open(t, app)
    socket.close(3001, 'bye')
    const [code] = await once(socket, 'close')
    assert.equal(code, 3001)
    assert.equal(await closeCodeFor(t, app, frame(0x88, Buffer.alloc(0))), 1000)
  })

  test('closes with 1002 what breaks the protocol', async (t) => {
    const app = await startExampleApp(t)
    const bad: Record<string, Buffer> = {
      'a frame not masked (5.1)': Buffer.from('810161', 'hex'),
      'a reserved bit (5.2)': frame(0xc1, Buffer.from('a')),
      'an unknown opcode (5.2)': frame(0x83, Buffer.from('a')),
      'a ping in parts (5.5)': frame(0x09, Buffer.from('a')),
      'a ping of 126 bytes (5.5)': frame(0x89, Buffer.alloc(126)),
      'a continuation of nothing (5.4)': frame(0x80, Buffer.from('a')),
      'a new message inside another (5.4)': Buffer.concat([frame(0x01, Buffer.from('a')), frame(0x81, Buffer.from('b'))]),
      'a length not in its shortest form (5.2)': Buffer.concat([Buffer.from('81fe000100000000', 'hex'), Buffer.from('a')]),
      'a close payload of one byte (5.5.1)': frame(0x88, Buffer.from([3])),
      'a close code that is never sent (7.4.1)': frame(0x88, Buffer.from([0x03, 0xed])),
    }
    for (const [what, bytes] of Object.entries(bad)) assert.equal(await closeCodeFor(t, app, bytes), 1002, what)
  })

  test('closes with 1007 text that is not UTF-8 (8.1), and with 1009 what is above 64 KiB', async (t) => {
    const app = await startExampleApp(t)
    assert.equal(await closeCodeFor(t, app, frame(0x81, Buffer.from([0xff]))), 1007)
    const socket = await open(t, app)
    socket.send(Buffer.alloc(65_537))
    assert.equal((await once(socket, 'close'))[0], 1009)
    const parts = await open(t, app)
    parts.send(Buffer.alloc(40_000), { fin: false })
    parts.send(Buffer.alloc(40_000), { fin: true })
    assert.equal((await once(parts, 'close'))[0], 1009)
  })

  test('refuses a bad handshake with 400, another version with 426, another path with 404 (4.2)', async (t) => {
    const app = await startExampleApp(t)
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    const status = async (path: string, fields: string) => {
      const socket = connect(app.port, '127.0.0.1')
      t.after(() => socket.destroy())
      socket.write(`GET ${path} HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\n${fields}\r\n`)
      return (await readToEnd(socket)).toString().slice(9, 12)
    }
    assert.equal(await status('/ws', `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`), '400')
    assert.equal(await status('/ws', `Upgrade: other\r\n${key}Sec-WebSocket-Version: 13\r\n`), '400')
    assert.equal(await status('/ws', `Upgrade: websocket\r\n${key}Sec-WebSocket-Version: 8\r\n`), '426')
    assert.equal(await status('/other', `Upgrade: websocket\r\n${key}Sec-WebSocket-Version: 13\r\n`), '404')
  })

  test('SIGTERM sends 1001 to every client, and the process ends', async (t) => {
    const app = await startExampleApp(t)
    const sockets = [await open(t, app), await open(t, app)]
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
    app.child.kill('SIGTERM')
    assert.deepEqual(
      (await closed).map(([code]) => code),
      [1001, 1001],
    )
    assert.equal(await app.ended, 0)
  })

  test('a client that vanishes without a word does no harm', async (t) => {
    const app = await startExampleApp(t)
    const socket = await openRaw(t, app)
    socket.write(frame(0x81, Buffer.from('half')).subarray(0, 4))
    socket.resetAndDestroy()
    const healthy = await open(t, app)
    healthy.send('still here')
    assert.equal(String((await once(healthy, 'message'))[0]), 'still here')
  })
})
