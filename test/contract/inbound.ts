/**
 * What every inbound keeps, whatever it is made of (src/proxy/inbound/inbound.ts). One suite for all of them: an implementation's test file
 * gives it to `inboundContract`. The client is a raw socket, and what it gets is judged by a strict reader of our own.
 */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { LimitSettings } from '../../src/config/settings.ts'
import { Fault } from '../../src/errors.ts'
import type { Accept } from '../../src/proxy/inbound/inbound.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { type Message, readMessage, statusOf, valuesOf } from '../kit/raw-message.ts'
import type { RawSocket } from '../kit/raw-socket.ts'
import { quiet, standsStill, until } from '../kit/turns.ts'
import { RecordedReceiver } from './recorded-receiver.ts'

export interface InboundUnderTest {
  readonly port: number
  connections(): number
  close(): Promise<void>
}

export interface InboundParts {
  readonly accept: Accept
  readonly limits: LimitSettings
  /** CIDR blocks. */
  readonly trustedHops: readonly string[]
  refused(fault: Fault): void
}

export type ServeInbound = (parts: InboundParts) => Promise<InboundUnderTest>

export const usualLimits: LimitSettings = {
  headerBytes: 16_384,
  headerCount: 100,
  uriBytes: 8_192,
  bodyBytes: 0,
  exchanges: 10,
  queue: 10,
  queueTimeoutMs: 1_000,
  connections: 10,
  upstreamConnections: 10,
}
const cut = new Fault('upstream-reset', 'connection to the version lost')
const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a.example\r\n\r\n`

interface Given {
  readonly limits?: Partial<LimitSettings>
  readonly trustedHops?: readonly string[]
}

async function setUp(t: TestContext, serve: ServeInbound, given: Given = {}) {
  const receivers: RecordedReceiver[] = []
  const refusals: string[] = []
  const clients: RawSocket[] = []
  const server = await serve({
    limits: { ...usualLimits, ...given.limits },
    trustedHops: given.trustedHops ?? [],
    refused: ({ code }) => void refusals.push(code),
    accept: (inbound) => {
      const receiver = new RecordedReceiver(inbound)
      receivers.push(receiver)
      return receiver
    },
  })
  t.after(async () => {
    for (const { inbound } of receivers) inbound.abort(cut)
    for (const client of clients) client.destroy()
    await until(
      () => server.connections() === 0,
      () => `no connection is left (${server.connections()})`,
    )
    assert.deepEqual(
      receivers.flatMap(({ violations }) => violations),
      [],
    )
    await server.close()
  })
  const connect = async (bytes = ''): Promise<RawSocket> => {
    const client = await connectRaw({ port: server.port })
    clients.push(client)
    client.send(bytes)
    return client
  }
  /** The request that came as the one of this number. */
  const request = async (number = 1): Promise<RecordedReceiver> => {
    await until(
      () => receivers.length >= number,
      () => `request ${number} is here (${refusals})`,
    )
    return receivers[number - 1] ?? Promise.reject(new Error('it is gone'))
  }
  return { server, receivers, refusals, connect, request }
}

/** A whole response from `from` on. */
async function answer(client: RawSocket, from = 0, head = false): Promise<Message> {
  const read = () => readMessage(client.received, from, { kind: 'response', head, closed: client.ending !== 'open' })
  await until(
    () => read()?.complete === true,
    () => `there is a whole response; there is ${JSON.stringify(client.received.toString('latin1'))}`,
  )
  const message = read()
  assert.equal(message?.fault, null)
  return message ?? Promise.reject(new Error('it is gone'))
}

function respondOk({ inbound }: RecordedReceiver, close = false): void {
  inbound.respond(200, 'OK', ['content-length', '2'], close)
  inbound.write(Buffer.from('ok'))
  inbound.end(null)
}

export function inboundContract(name: string, serve: ServeInbound): void {
  const begin = (t: TestContext, given?: Given) => setUp(t, serve, given)

  describe(`${name}: a request's head`, () => {
    test('has its line and fields as they came, with order, case and number', async (t) => {
      const { connect, request } = await begin(t)
      await connect('PATCH /a/../b?c=%2F HTTP/1.1\r\nhOST: A.example:81\r\nX-B: 1\r\nx-a:2\r\nX-B: \xe9 \r\n\r\n')
      const { head } = (await request()).inbound
      assert.deepEqual(
        [head.method, head.target, head.http, head.host, head.authority],
        ['PATCH', '/a/../b?c=%2F', 11, 'a.example', 'A.example:81'],
      )
      assert.deepEqual([...head.raw], ['hOST', 'A.example:81', 'X-B', '1', 'x-a', '2', 'X-B', '\xe9'])
      assert.deepEqual([head.body, head.upgrade, head.expectContinue, head.listed], ['none', null, false, null])
    })

    for (const [what, fields, body] of [
      ['a length', 'Content-Length: 7\r\n', 7],
      ['a length of 0', 'Content-Length: 0\r\n', 0],
      ['chunks', 'Transfer-Encoding: chunked\r\n', 'chunked'],
    ] as const)
      test(`says how its body ends: ${what}`, async (t) => {
        const { connect, request } = await begin(t)
        await connect(`POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)
        assert.equal((await request()).inbound.head.body, body)
      })

    test('names the client: the peer, or what a trusted hop says', async (t) => {
      const forwarded = 'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n'
      const alone = await begin(t)
      await alone.connect(forwarded)
      const own = (await alone.request()).inbound.head
      assert.deepEqual([own.client, own.peer], ['127.0.0.1', { address: '127.0.0.1', trusted: false }])
      const behind = await begin(t, { trustedHops: ['127.0.0.0/8'] })
      await behind.connect(forwarded)
      const said = (await behind.request()).inbound.head
      assert.deepEqual([said.client, said.peer], ['203.0.113.9', { address: '127.0.0.1', trusted: true }])
    })

    test('of HTTP/1.0 is one, and its connection ends after the answer', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect('GET / HTTP/1.0\r\n\r\n')
      const receiver = await request()
      assert.equal(receiver.inbound.head.http, 10)
      respondOk(receiver)
      assert.equal((await answer(client)).body, 'ok')
      await until(() => client.ending === 'fin', 'the connection is ended')
    })

    test('lists what Connection names', async (t) => {
      const { connect, request } = await begin(t)
      await connect('GET / HTTP/1.1\r\nHost: a\r\nConnection: X-A, close\r\nX-A: 1\r\n\r\n')
      assert.deepEqual((await request()).inbound.head.listed, new Set(['x-a']))
    })
  })

  describe(`${name}: a request's body`, () => {
    test('comes after the first resume, whole, with its trailers', async (t) => {
      const { connect, request } = await begin(t)
      await connect(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n',
      )
      const receiver = await request()
      await quiet()
      assert.deepEqual(receiver.heard, [])
      receiver.inbound.resume()
      await receiver.until('end')
      assert.deepEqual([receiver.heard, receiver.text, receiver.trailers], [['body', 'end'], 'abcde', ['X-Sum', '1', 'x-sum', '2']])
      respondOk(receiver)
    })

    test('of length 0 is an end', async (t) => {
      const { connect, request } = await begin(t)
      await connect('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
      const receiver = await request()
      receiver.inbound.resume()
      await receiver.until('end')
      assert.deepEqual([receiver.heard, receiver.trailers], [['end'], null])
      respondOk(receiver)
    })

    test('that is waited for with 100-continue is asked for by the first resume, once', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n')
      const receiver = await request()
      assert.equal(receiver.inbound.head.expectContinue, true)
      await quiet()
      assert.equal(client.received.length, 0)
      receiver.inbound.resume()
      receiver.inbound.resume()
      await until(() => client.received.length > 0, 'it is asked for')
      assert.equal(client.received.toString(), 'HTTP/1.1 100 Continue\r\n\r\n')
      client.send('ab')
      await receiver.until('end')
      respondOk(receiver)
      await answer(client, 'HTTP/1.1 100 Continue\r\n\r\n'.length)
    })

    test('that is not asked for is not sent: the final answer comes first', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n')
      respondOk(await request(), true)
      assert.equal(statusOf(await answer(client)), 200)
      await until(() => client.ending === 'fin', 'the connection is ended')
    })

    for (const [what, hold] of [
      [
        'a body that is not taken',
        (receiver: RecordedReceiver) => {
          receiver.takes = () => false
        },
      ],
      [
        'a body that is paused',
        (receiver: RecordedReceiver) => {
          receiver.takes = () => {
            receiver.inbound.pause()
            return true
          }
        },
      ],
    ] as const)
      test(`${what} is not read: what comes is bounded, until resume`, async (t) => {
        const { connect, request } = await begin(t)
        const total = 64 * 1024 * 1024
        const client = await connect(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`)
        client.send(Buffer.alloc(total, 'x'))
        const receiver = await request()
        receiver.keeps = false
        hold(receiver)
        receiver.inbound.resume()
        await receiver.until('body')
        const before = await standsStill(() => receiver.bytes)
        assert.ok(before <= 1024 * 1024, `${before} bytes came`)
        receiver.takes = () => true
        receiver.inbound.resume()
        await receiver.until('end')
        assert.equal(receiver.bytes, total)
        respondOk(receiver)
      })

    test('that turns out unreadable is told, and can still be answered', async (t) => {
      const { connect, request, refusals } = await begin(t)
      const client = await connect('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
      const receiver = await request()
      receiver.inbound.resume()
      await receiver.until('body')
      client.send('zz\r\n')
      await receiver.until('gone bad-request')
      receiver.inbound.respond(400, 'Bad Request', ['content-length', '0'], true)
      receiver.inbound.end(null)
      assert.equal(statusOf(await answer(client)), 400)
      await until(() => client.ending !== 'open', 'nothing more is read')
      assert.deepEqual(refusals, ['bad-request'])
    })
  })

  describe(`${name}: a response`, () => {
    test('has its status, reason and fields as given, with order, case and number', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect(get('/'))
      const { inbound } = await request()
      inbound.respond(299, 'Fine \xe9', ['X-B', '1', 'x-a', '2', 'X-B', '\xe9', 'content-length', '0'], false)
      inbound.end(null)
      const message = await answer(client)
      assert.equal(message.startLine, 'HTTP/1.1 299 Fine \xe9')
      assert.deepEqual(
        message.lines.filter((line) => /^x-/i.test(line)),
        ['X-B: 1', 'x-a: 2', 'X-B: \xe9'],
      )
    })

    test('without a length is in chunks, with its trailers', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect(get('/'))
      const { inbound } = await request()
      inbound.respond(200, 'OK', ['trailer', 'X-Sum'], false)
      inbound.write(Buffer.from('abc'))
      inbound.write(Buffer.from('de'))
      inbound.end(['X-Sum', '42'])
      const message = await answer(client)
      assert.deepEqual([message.framing, message.body, message.trailers], ['chunked', 'abcde', ['X-Sum: 42']])
    })

    test('of which the head comes alone is sent at once (an event stream)', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect(get('/'))
      const { inbound } = await request()
      inbound.respond(200, 'OK', ['content-type', 'text/event-stream'], false)
      await until(() => client.received.includes('\r\n\r\n'), 'the head is here')
      inbound.write(Buffer.from('data: 1\n\n'))
      await until(() => client.received.includes('data: 1'), 'the event is here')
      inbound.end(null)
      await answer(client)
    })

    test('to HEAD has no body, and keeps its length', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')
      const { inbound } = await request()
      inbound.respond(200, 'OK', ['content-length', '9'], false)
      inbound.end(null)
      const message = await answer(client, 0, true)
      assert.deepEqual(valuesOf(message.lines, 'content-length'), ['9'])
      client.send(get('/next'))
      respondOk(await request(2))
      assert.equal((await answer(client, message.end)).body, 'ok')
    })

    test('comes after the informational ones, each with its fields', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect(get('/'))
      const receiver = await request()
      receiver.inbound.inform(103, ['Link', '</a>', 'link', '</b>'])
      receiver.inbound.inform(199, [])
      respondOk(receiver)
      await until(() => client.received.includes('ok'), 'all is here')
      const early = await answer(client)
      assert.deepEqual([statusOf(early), early.lines], [103, ['Link: </a>', 'link: </b>']])
      const other = await answer(client, early.end)
      assert.equal(statusOf(other), 199)
      assert.equal(statusOf(await answer(client, other.end)), 200)
    })

    test('is taken no faster than the client takes it, and goes on when it does', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect(get('/'))
      client.socket.pause()
      const receiver = await request()
      const { inbound } = receiver
      const total = 64 * 1024 * 1024
      inbound.respond(200, 'OK', ['content-length', String(total)], false)
      let written = 0
      const pump = () => {
        while (written < total) {
          written += 65_536
          if (!inbound.write(Buffer.alloc(65_536, 'x'))) return
        }
        inbound.end(null)
      }
      receiver.onSendable = pump
      pump()
      await quiet(200)
      assert.ok(written < total / 2, `${written} bytes were taken for a client that takes none`)
      client.socket.resume()
      await until(() => client.socket.bytesRead > total, 'all of it is here')
      assert.ok(receiver.sendables > 0)
    })

    test('that closes says so and ends the connection; one that does not leaves it for the next request', async (t) => {
      const { connect, request, server } = await begin(t)
      const client = await connect(get('/1'))
      respondOk(await request())
      const first = await answer(client)
      assert.equal(valuesOf(first.lines, 'connection').includes('close'), false)
      client.send(get('/2'))
      respondOk(await request(2), true)
      assert.deepEqual(valuesOf((await answer(client, first.end)).lines, 'connection'), ['close'])
      await until(() => client.ending === 'fin', 'the connection is ended')
      client.end()
      await until(() => server.connections() === 0, 'it is forgotten')
    })

    test('before the request’s end reaches a client that is still sending', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n')
      client.send(Buffer.alloc(3_000_000, 'x'))
      const receiver = await request()
      receiver.inbound.resume()
      await receiver.until('body')
      respondOk(receiver, true)
      client.send(Buffer.alloc(1_000_000, 'x'))
      assert.equal((await answer(client)).body, 'ok')
    })
  })

  describe(`${name}: pipelined requests`, () => {
    test('begin one after the other, and are answered in their order', async (t) => {
      const { connect, request, receivers } = await begin(t)
      const client = await connect(get('/1') + get('/2') + get('/3'))
      let from = 0
      for (const number of [1, 2, 3]) {
        const receiver = await request(number)
        await quiet()
        assert.equal(receivers.length, number, 'the next one has not begun')
        assert.equal(receiver.inbound.head.target, `/${number}`)
        respondOk(receiver)
        from = (await answer(client, from)).end
      }
    })

    test('behind one with a body begin after it', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect(`POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc${get('/2')}`)
      const first = await request()
      first.inbound.resume()
      await first.until('end')
      assert.equal(first.text, 'abc')
      respondOk(first)
      respondOk(await request(2))
      await answer(client, (await answer(client)).end)
    })

    test('behind a response that closes are not read', async (t) => {
      const { connect, request, receivers } = await begin(t)
      const client = await connect(get('/1') + get('/2'))
      respondOk(await request(), true)
      await until(() => client.ending !== 'open', 'the connection is ended')
      await quiet()
      assert.equal(receivers.length, 1)
    })

    test('that come while a response that closes is under way are not read either', async (t) => {
      const { connect, request, receivers } = await begin(t)
      const client = await connect(get('/1'))
      const { inbound } = await request()
      inbound.respond(200, 'OK', [], true)
      await until(() => client.received.includes('\r\n\r\n'), 'the head is here')
      client.send(get('/2'))
      await quiet()
      inbound.end(null)
      await until(() => client.ending !== 'open', 'the connection is ended')
      await quiet()
      assert.equal(receivers.length, 1)
    })

    test('by the thousand are held back by the socket, not in memory, and all are answered', async (t) => {
      const { connect, request } = await begin(t)
      const count = 1_000
      const client = await connect(Array.from({ length: count }, (_, at) => get(`/${at}`)).join(''))
      for (let number = 1; number <= count; number += 1) respondOk(await request(number))
      await until(() => client.received.toString().split('HTTP/1.1 200 OK').length - 1 === count, 'all are answered')
    })
  })

  describe(`${name}: an end before the end`, () => {
    test('abort within a body: the client can tell that it is cut', async (t) => {
      const { connect, request } = await begin(t)
      for (const [number, fields] of [
        [1, ['content-length', '9']],
        [2, []],
      ] as const) {
        const client = await connect(get('/'))
        const receiver = await request(number)
        receiver.inbound.respond(200, 'OK', fields, false)
        receiver.inbound.write(Buffer.from('half'))
        await until(() => client.received.includes('half'), 'half of it is here')
        receiver.silence()
        receiver.inbound.abort(cut)
        await until(() => client.ending !== 'open', 'the connection is ended')
        assert.equal(readMessage(client.received, 0, { kind: 'response', closed: true })?.complete, false)
      }
    })

    test('abort of a body that its connection ends: a reset', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect('GET / HTTP/1.0\r\n\r\n')
      const receiver = await request()
      receiver.inbound.respond(200, 'OK', [], true)
      receiver.inbound.write(Buffer.from('half'))
      await until(() => client.received.includes('half'), 'half of it is here')
      receiver.silence()
      receiver.inbound.abort(cut)
      await until(() => client.ending !== 'open', 'the connection is ended')
      assert.equal(client.ending, 'reset')
    })

    for (const [what, bytes] of [
      ['before its answer', get('/')],
      ['within its body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf'],
    ] as const)
      for (const how of ['reset', 'destroy'] as const)
        test(`a client that leaves ${what} (${how}) is gone, once`, async (t) => {
          const { connect, request } = await begin(t)
          const client = await connect(bytes)
          const receiver = await request()
          receiver.inbound.resume()
          if (bytes.endsWith('half')) await receiver.until('body')
          client[how]()
          await receiver.until('gone client-gone')
          receiver.silence()
          receiver.inbound.abort(cut)
          await quiet()
        })

    test('a client that leaves within its answer is gone', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect(get('/'))
      const receiver = await request()
      receiver.inbound.respond(200, 'OK', [], false)
      receiver.inbound.write(Buffer.from('half'))
      await until(() => client.received.includes('half'), 'half of it is here')
      client.reset()
      await receiver.until('gone client-gone')
    })

    test('a client that leaves after its answer has left nobody', async (t) => {
      const { connect, request, server } = await begin(t)
      const client = await connect(get('/'))
      const receiver = await request()
      respondOk(receiver)
      await answer(client)
      receiver.silence()
      client.reset()
      await until(() => server.connections() === 0, 'it is forgotten')
      await quiet()
    })
  })

  describe(`${name}: what is refused`, () => {
    const bad: readonly (readonly [string, string, number, string])[] = [
      ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'bad-request'],
      ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'bad-request'],
      [
        'length and coding',
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
        'bad-request',
      ],
      ['garbage', 'hello\r\n\r\n', 400, 'bad-request'],
      ['a fragment', 'GET /#x HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-request'],
      ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505, 'version-not-supported'],
      ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 501, 'method-not-supported'],
      ['a long target', `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414, 'uri-too-long'],
      ['a long head', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'head-too-large'],
      ['another expectation', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n', 417, 'expectation-failed'],
    ]
    for (const [what, bytes, status, code] of bad)
      test(`${what}: ${status}, a closed connection, and nothing that follows is read`, async (t) => {
        const { connect, receivers, refusals } = await begin(t)
        const client = await connect(bytes + get('/next'))
        const message = await answer(client)
        assert.deepEqual([statusOf(message), valuesOf(message.lines, 'connection')], [status, ['close']])
        await until(() => client.ending !== 'open', 'the connection is ended')
        assert.equal(client.received.length, message.end)
        assert.deepEqual([refusals, receivers.length], [[code], 0])
      })

    for (const [what, bytes, status, code] of [
      ['garbage', 'hello\r\n\r\n', 400, 'bad-request'],
      ['another version', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505, 'version-not-supported'],
      ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 501, 'method-not-supported'],
    ] as const)
      test(`${what} behind a request that is under way: that one is answered first`, async (t) => {
        const { connect, request, refusals } = await begin(t)
        const client = await connect(get('/1') + bytes)
        const receiver = await request()
        await quiet()
        respondOk(receiver)
        const first = await answer(client)
        assert.equal(statusOf(first), 200)
        assert.equal(statusOf(await answer(client, first.end)), status)
        assert.deepEqual(refusals, [code])
      })

    test('a connection above the limit: 503, and the others go on', async (t) => {
      const { connect, request, refusals } = await begin(t, { limits: { connections: 1 } })
      const client = await connect(get('/1'))
      const receiver = await request()
      const other = await connect(get('/2'))
      assert.equal(statusOf(await answer(other)), 503)
      assert.deepEqual(refusals, ['limit-reached'])
      respondOk(receiver)
      assert.equal(statusOf(await answer(client)), 200)
    })
  })

  upgradeContract(name, begin)
}

const handshake = 'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n'
const fields = ['connection', 'Upgrade', 'upgrade', 'websocket', 'X-B', '1', 'x-a', '2']

function upgradeContract(name: string, begin: (t: TestContext, given?: Given) => ReturnType<typeof setUp>): void {
  const tunnel = async (t: TestContext, early = '') => {
    const set = await begin(t)
    const client = await set.connect(handshake + early)
    const receiver = await set.request()
    const { inbound } = receiver
    inbound.upgrade(fields)
    inbound.resume()
    await until(() => client.received.includes('\r\n\r\n'), 'the tunnel stands')
    return { ...set, client, receiver, inbound }
  }
  const afterHead = (client: RawSocket) => client.received.subarray(client.received.indexOf('\r\n\r\n') + 4).toString()

  describe(`${name}: an upgrade`, () => {
    test('is asked for in the head, and answered with the fields as given', async (t) => {
      const { client, inbound } = await tunnel(t)
      assert.deepEqual([inbound.head.upgrade, inbound.head.body], ['websocket', 'none'])
      assert.equal(
        client.received.toString(),
        'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nX-B: 1\r\nx-a: 2\r\n\r\n',
      )
    })

    test('carries bytes both ways, those right behind the request too', async (t) => {
      const { client, receiver, inbound } = await tunnel(t, 'early')
      await until(() => receiver.text === 'early', 'the early bytes are here')
      client.send('\x00\xff')
      await until(() => receiver.text === 'early\x00\xff', 'the others are as well')
      inbound.write(Buffer.from('back'))
      await until(() => afterHead(client) === 'back', 'and so back')
    })

    test('behind a request that is under way gets the bytes too that come before its answer', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect(get('/1') + handshake)
      respondOk(await request())
      const receiver = await request(2)
      const { inbound } = receiver
      const first = await answer(client)
      client.send('early')
      await quiet()
      inbound.upgrade(fields)
      inbound.resume()
      await until(() => client.received.indexOf('\r\n\r\n', first.end) > 0, 'the tunnel stands')
      client.send(' late')
      await until(
        () => receiver.text === 'early late',
        () => `both are here, not ${receiver.text}`,
      )
    })

    test('is half-closed by either side, and over by both', async (t) => {
      for (const clientFirst of [true, false]) {
        const { client, receiver, inbound, server } = await tunnel(t)
        if (clientFirst) {
          client.end()
          await receiver.until('end')
          inbound.write(Buffer.from('late'))
          await until(() => afterHead(client) === 'late', 'late bytes arrive')
          inbound.end(null)
        } else {
          inbound.end(null)
          await until(() => client.ending === 'fin', 'the client sees the end')
          client.send('late')
          await until(() => receiver.text === 'late', 'late bytes arrive')
          client.end()
          await receiver.until('end')
        }
        await until(() => server.connections() === 0, 'it is forgotten')
      }
    })

    test('is not read while it is not taken', async (t) => {
      const { client, receiver, inbound } = await tunnel(t)
      const total = 32 * 1024 * 1024
      receiver.keeps = false
      receiver.takes = () => false
      client.send(Buffer.alloc(total))
      await receiver.until('body')
      const before = await standsStill(() => receiver.bytes)
      assert.ok(before <= 1024 * 1024, `${before} bytes came`)
      receiver.takes = () => true
      inbound.resume()
      await until(() => receiver.bytes === total, 'all of it is here')
    })

    test('is taken no faster than the client takes it', async (t) => {
      const { client, receiver, inbound } = await tunnel(t)
      client.socket.pause()
      let written = 0
      while (written < 64 * 1024 * 1024 && inbound.write(Buffer.alloc(65_536))) {
        written += 65_536
        await quiet(1)
      }
      assert.ok(written < 32 * 1024 * 1024, `${written} bytes were taken for a client that takes none`)
      const before = receiver.sendables
      client.socket.resume()
      await until(() => receiver.sendables > before, 'more can be sent')
    })

    test('that is refused has a response like any other, with its trailers, and the connection ends', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect(handshake)
      const { inbound } = await request()
      inbound.respond(403, 'Not You', ['trailer', 'X-Sum'], true)
      inbound.write(Buffer.from('no'))
      inbound.end(['X-Sum', '42'])
      const message = await answer(client)
      assert.deepEqual([message.startLine, message.body, message.trailers], ['HTTP/1.1 403 Not You', 'no', ['X-Sum: 42']])
      assert.deepEqual(valuesOf(message.lines, 'connection'), ['close'])
      await until(() => client.ending === 'fin', 'the connection is ended')
    })

    test('whose client leaves is gone, once; before the answer and in an open tunnel', async (t) => {
      const { client, receiver } = await tunnel(t)
      client.reset()
      await receiver.until('gone client-gone')
      receiver.silence()
      const other = await begin(t)
      const early = await other.connect(handshake)
      const waiting = await other.request()
      early.reset()
      await waiting.until('gone client-gone')
      waiting.silence()
      await quiet()
    })

    test('that is aborted ends, and says nothing more', async (t) => {
      const { client, receiver, inbound } = await tunnel(t)
      receiver.silence()
      inbound.abort(cut)
      await until(() => client.ending !== 'open', 'the client sees the end')
      await quiet()
    })

    test('to something else is an ordinary request without it (RFC 9110 section 7.8)', async (t) => {
      const { connect, request } = await begin(t)
      const client = await connect('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
      const receiver = await request()
      assert.equal(receiver.inbound.head.upgrade, null)
      respondOk(receiver)
      assert.equal(statusOf(await answer(client)), 200)
    })
  })
}
