/** The relay of an upgraded exchange, and how it says goodbye: where each close frame goes, and that nothing is torn by it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Tunnel } from '../../src/proxy/tunnel.ts'
import { closeFrame, FrameScanner } from '../../src/proxy/websocket-frames.ts'

const maskKey = 0x01020304
const toClient = Buffer.from(closeFrame(1012, null))
const toApp = Buffer.from(closeFrame(1001, maskKey))

/** What one side was given. */
class Side {
  received = Buffer.alloc(0)
  ended = false
  resumed = 0
  write(bytes: Uint8Array): boolean {
    assert.equal(this.ended, false, 'written to after its end')
    this.received = Buffer.concat([this.received, bytes])
    return true
  }
  end(): void {
    assert.equal(this.ended, false, 'ended twice')
    this.ended = true
  }
  resume(): void {
    this.resumed += 1
  }
}

function open(isWebSocket = true) {
  const [client, app, done] = [new Side(), new Side(), { left: 0 }]
  const left = () => {
    done.left += 1
  }
  return { client, app, done, tunnel: new Tunnel({ client, app, isWebSocket, maskKey, left }) }
}

const clientText = Buffer.from([0x81, 0x83, 9, 9, 9, 9, 1, 2, 3])
const appText = Buffer.from([0x81, 3, 1, 2, 3])

describe('a tunnel that is asked to leave', () => {
  test('between two frames closes both ways at once, waits for both answers, drops the rest and lets go', () => {
    const { client, app, done, tunnel } = open()
    tunnel.fromClient(clientText)
    tunnel.fromApp(appText)
    tunnel.leave()
    assert.deepEqual(client.received, Buffer.concat([appText, toClient]))
    assert.deepEqual(app.received, Buffer.concat([clientText, toApp]))
    assert.deepEqual([client.resumed, app.resumed], [1, 1])
    tunnel.fromClient(clientText)
    tunnel.fromApp(appText)
    assert.deepEqual([client.ended, app.ended], [false, false])
    tunnel.fromClient(Buffer.concat([clientText, closeFrame(1012, 0x05060708), clientText]))
    assert.deepEqual([client.ended, app.ended, done.left], [true, false, 0])
    tunnel.fromApp(Buffer.from(closeFrame(1001, null)))
    assert.deepEqual([client.ended, app.ended, done.left], [true, true, 1])
    assert.deepEqual([client.received.length, app.received.length], [appText.length + toClient.length, clientText.length + toApp.length])
  })

  test('within a frame lets that frame end first, each direction by itself', () => {
    const { client, app, tunnel } = open()
    tunnel.fromApp(appText.subarray(0, 2))
    tunnel.leave()
    assert.deepEqual(app.received, toApp)
    assert.deepEqual(client.received, appText.subarray(0, 2))
    tunnel.fromApp(appText.subarray(2, 3))
    assert.deepEqual(client.received, appText.subarray(0, 3))
    tunnel.fromApp(Buffer.concat([appText.subarray(3), appText]))
    assert.deepEqual(client.received, Buffer.concat([appText, toClient]))
  })

  test('does nothing where a goodbye is already under way', () => {
    const { client, app, tunnel } = open()
    tunnel.fromClient(Buffer.from(closeFrame(1000, 5)))
    tunnel.leave()
    assert.equal(tunnel.leaving, false)
    tunnel.fromApp(Buffer.from(closeFrame(1000, null)))
    assert.deepEqual(client.received, Buffer.from(closeFrame(1000, null)))
    assert.deepEqual(app.received, Buffer.from(closeFrame(1000, 5)))
  })

  test("sends no second close frame where the frame that had to end was the peer's own", () => {
    const { client, app, done, tunnel } = open()
    const close = Buffer.from(closeFrame(1000, 5))
    tunnel.fromClient(close.subarray(0, 3))
    tunnel.leave()
    tunnel.fromClient(close.subarray(3))
    assert.deepEqual(app.received, close)
    assert.deepEqual(client.received, toClient)
    assert.equal(client.ended, true)
    tunnel.fromApp(Buffer.from(closeFrame(1000, null)))
    assert.equal(done.left, 1)
  })

  test('is not held up by a side that ends in place of answering', () => {
    const { client, app, done, tunnel } = open()
    tunnel.leave()
    tunnel.clientEnded()
    assert.equal(done.left, 0)
    tunnel.appEnded()
    assert.deepEqual([client.ended, app.ended, done.left], [true, true, 1])
  })

  test('ends the other side where one is lost within a frame', () => {
    const { client, app, done, tunnel } = open()
    tunnel.fromApp(appText.subarray(0, 2))
    tunnel.leave()
    tunnel.appEnded()
    assert.deepEqual(client.received, appText.subarray(0, 2))
    assert.equal(client.ended, true)
    tunnel.clientEnded()
    assert.deepEqual([app.ended, done.left], [true, 1])
  })

  test('that is no WebSocket stays as it is', () => {
    const { client, app, done, tunnel } = open(false)
    tunnel.leave()
    tunnel.fromApp(appText)
    tunnel.fromClient(clientText)
    assert.deepEqual([client.received, app.received, done.left], [appText, clientText, 0])
  })

  test('at any moment of any two streams passes whole frames only, then one close frame, then nothing', () => {
    const chunks = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 12 })
    const property = fc.property(chunks, chunks, fc.nat({ max: 30 }), (fromClient, fromApp, when) => {
      const { client, app, done, tunnel } = open()
      const streams = [
        {
          bytes: Buffer.concat(Array.from({ length: 8 }, () => clientText)),
          sizes: fromClient,
          send: (part: Buffer) => tunnel.fromClient(part),
        },
        { bytes: Buffer.concat(Array.from({ length: 8 }, () => appText)), sizes: fromApp, send: (part: Buffer) => tunnel.fromApp(part) },
      ]
      for (let turn = 0; turn < 30; turn += 1) {
        if (turn === when) tunnel.leave()
        for (const stream of streams) {
          const size = stream.sizes[turn % stream.sizes.length] ?? 1
          stream.send(stream.bytes.subarray(0, size))
          stream.bytes = stream.bytes.subarray(size)
        }
      }
      tunnel.leave()
      for (const stream of streams) stream.send(stream.bytes)
      tunnel.fromClient(Buffer.from(closeFrame(1012, 7)))
      tunnel.fromApp(Buffer.from(closeFrame(1001, null)))
      assert.equal(done.left, 1)
      for (const [side, frame, close] of [
        [client, appText, toClient],
        [app, clientText, toApp],
      ] as const) {
        const frames = (side.received.length - close.length) / frame.length
        assert.deepEqual(side.received, Buffer.concat([...Array.from({ length: frames }, () => frame), close]))
        const scanner = new FrameScanner()
        scanner.pass(side.received)
        assert.deepEqual([scanner.atBoundary, scanner.closeSeen], [true, true])
      }
    })
    fc.assert(property, { numRuns: 300 })
  })
})
