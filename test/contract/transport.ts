/**
 * What every transport keeps, whatever protocol stack it is made of (src/upstream/transport/transport.ts). One suite for all of them: an
 * implementation's test file gives it to `transportContract`. The app is a raw server, so that no library's leniency hides a fault.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { Fault } from '../../src/errors.ts'
import type { Call, Endpoint, Transport, UpstreamHead } from '../../src/upstream/transport/transport.ts'
import { readMessage } from '../kit/raw-message.ts'
import type { RawSocket } from '../kit/raw-socket.ts'
import { quiet, standsStill, until } from '../kit/turns.ts'
import { Place, type PlaceKind } from './place.ts'
import { RecordedAnswer } from './recorded-answer.ts'

export interface TransportOptions {
  readonly connectMs: number
  readonly keepAliveMs: number
  readonly connections: number
  readonly maxHeaderBytes: number
}

/** What a stack is known not to keep, each with the case that it is let off. */
export interface TransportDeviations {
  /** Request trailers do not arrive. */
  readonly noRequestTrailers?: boolean
  /** Cases after which the connection is closed though it could be used again. */
  readonly noReuseAfter?: readonly string[]
}

export type CreateTransport = (endpoint: Endpoint, options: TransportOptions) => Transport

const defaults: TransportOptions = { connectMs: 5_000, keepAliveMs: 60_000, connections: 10, maxHeaderBytes: 16_384 }
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const gone = new Fault('client-gone', 'the client closed the connection')

function headOf(given: Partial<UpstreamHead> = {}): UpstreamHead {
  const { body = 'none' } = given
  const length = body === 'none' ? [] : body === 'chunked' ? [] : ['content-length', String(body)]
  const raw = ['host', 'a.example', ...(given.raw ?? []), ...length]
  return { method: 'GET', target: '/', body, upgrade: null, expectContinue: false, ...given, raw }
}

/** Cuts a connection as hard as its kind allows. */
function reset(connection: RawSocket): void {
  if (connection.socket.remoteAddress === undefined) connection.destroy()
  else connection.reset()
}

interface Opened {
  readonly call: Call
  readonly answer: RecordedAnswer
}

/** Each test leaves nothing open: neither the transport's connections nor the app's. */
async function setUp(t: TestContext, kind: PlaceKind, create: CreateTransport, options: Partial<TransportOptions> = {}) {
  const place = await Place.listen(kind)
  const transport = create(place.endpoint, { ...defaults, ...options })
  const answers: RecordedAnswer[] = []
  t.after(async () => {
    assert.deepEqual(
      answers.flatMap(({ violations }) => violations),
      [],
    )
    transport.destroy()
    await place.empty()
    await until(
      () => transport.connections === 0,
      () => `no connection is counted (${transport.connections})`,
    )
    await place.close()
  })
  const open = (given: Partial<UpstreamHead> = {}, onWanted: (call: Call) => void = () => {}): Opened => {
    const answer = new RecordedAnswer()
    answers.push(answer)
    const call = transport.open(headOf(given), answer)
    answer.early = false
    answer.onWanted = () => onWanted(call)
    return { call, answer }
  }
  return { place, transport, open }
}

/** Writes a body in pieces as fast as it is taken, then ends it. */
function feed({ call, answer }: Opened, bytes: number, piece = 65_536): { readonly written: () => number } {
  let left = bytes
  const pump = () => {
    while (left > 0) {
      const size = Math.min(left, piece)
      left -= size
      if (!call.write(Buffer.alloc(size, 'x'))) return
    }
    if (left === 0) {
      left = -1
      call.end(null)
    }
  }
  answer.onWanted = pump
  const before = answer.writable.bind(answer)
  answer.writable = () => {
    before()
    if (left >= 0 && answer.wants > 0) pump()
  }
  return { written: () => bytes - Math.max(0, left) }
}

export function transportContract(name: string, kind: PlaceKind, create: CreateTransport, deviations: TransportDeviations = {}): void {
  const given = (t: TestContext, options?: Partial<TransportOptions>) => setUp(t, kind, create, options)

  describe(`${name}: a request and its response`, () => {
    test('the head goes out with its fields in their order, case and number', async (t) => {
      const { place, open } = await given(t)
      place.answers(() => ok)
      const raw = ['X-B', '1', 'x-a', '2', 'X-B', '3', 'cookie', 'a=1']
      await open({ method: 'DELETE', target: '/a/../b?c=%2F&d', raw }).answer.hears('end')
      const [line, ...lines] = place.connections[0]?.received.toString().split('\r\n') ?? []
      assert.equal(line, 'DELETE /a/../b?c=%2F&d HTTP/1.1')
      assert.deepEqual(
        lines.filter((each) => /^(x-|cookie|host)/i.test(each)),
        ['host: a.example', 'X-B: 1', 'x-a: 2', 'X-B: 3', 'cookie: a=1'],
      )
    })

    test('the response comes as head, body, end; with its fields in their order, case and number', async (t) => {
      const { place, open } = await given(t)
      place.answers(() => 'HTTP/1.1 207 Multi Thing\r\nX-B: 1\r\nx-a:2\r\nX-B: \xe9\r\nContent-Length: 5\r\n\r\nhello')
      const { answer } = open()
      await answer.hears('end')
      assert.deepEqual(answer.heard, ['respond 207 Multi Thing', 'chunk', 'end'])
      assert.deepEqual(answer.raw, ['X-B', '1', 'x-a', '2', 'X-B', '\xe9', 'Content-Length', '5'])
      assert.deepEqual([answer.body.toString(), answer.trailers], ['hello', null])
    })

    test('a body in chunks is given without them, its trailers at the end', async (t) => {
      const { place, open } = await given(t)
      place.answers(
        () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 42\r\nx-sum: 43\r\n\r\n',
      )
      const { answer } = open()
      await answer.hears('end')
      assert.deepEqual([answer.body.toString(), answer.trailers], ['abcde', ['X-Sum', '42', 'x-sum', '43']])
    })

    test('a body that ends with its connection ends there', async (t) => {
      const { place, open } = await given(t)
      place.serve = (connection) =>
        connection.socket.once('data', () => {
          connection.send('HTTP/1.1 200 OK\r\n\r\nall of it')
          connection.end()
        })
      const { answer } = open()
      await answer.hears('end')
      assert.deepEqual([answer.heard, answer.body.toString()], [['respond 200 OK', 'chunk', 'end'], 'all of it'])
    })

    for (const [what, method, response] of [
      ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'],
      ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
      ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n'],
      ['a 304 without a length', 'GET', 'HTTP/1.1 304 Not Modified\r\n\r\n'],
      ['an empty body', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ] as const) {
      const isLetOff = deviations.noReuseAfter?.includes(what) === true
      test(`${what} is a head and an end, and the connection is ${isLetOff ? 'not ' : ''}used again`, async (t) => {
        const { place, open } = await given(t)
        place.answers(() => response)
        for (let each = 0; each < 2; each += 1) {
          const { answer } = open({ method })
          await answer.hears('end')
          assert.equal(answer.heard.length, 2, answer.heard.join())
        }
        assert.equal(place.connections.length, isLetOff ? 2 : 1)
      })
    }

    test('informational responses come before the final one, each with its fields', async (t) => {
      const { place, open } = await given(t)
      place.answers(() => `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${ok}`)
      const { answer } = open()
      await answer.hears('end')
      assert.deepEqual(answer.heard, ['inform 103', 'inform 102', 'respond 200 OK', 'chunk', 'end'])
    })

    test('nothing is called before open has returned, however soon it fails', async (t) => {
      const { transport } = await given(t)
      for (const bad of [{ target: '/ä b' }, { raw: ['bad name', 'x'] }, { raw: ['x', 'a\nb'] }, { method: 'BAD METHOD' }]) {
        const answer = new RecordedAnswer()
        transport.open(headOf(bad), answer)
        answer.early = false
        assert.deepEqual(answer.violations, [])
        await until(() => answer.heard.length > 0, `${JSON.stringify(bad)} is refused`)
        assert.match(answer.heard.join(), /^failed [a-z-]+ nothing$/)
      }
    })

    test('no more connections than allowed: a further call waits for one', async (t) => {
      const { place, open, transport } = await given(t, { connections: 1 })
      const [first, second] = [open({ target: '/first' }), open({ target: '/second' })]
      const connection = await place.at('/first')
      await quiet()
      assert.deepEqual([place.connections.length, transport.connections, second.answer.heard], [1, 1, []])
      connection.send(ok)
      await first.answer.hears('end')
      ;(await place.at('/second')).send(ok)
      await second.answer.hears('end')
    })
  })

  describe(`${name}: a request's body`, () => {
    for (const [what, body] of [
      ['of a known length', 300_000],
      ['of a small known length', 5],
      ['of length 0', 0],
      ['of unknown length', 'chunked'],
    ] as const)
      test(`${what} is asked for once, and arrives whole`, async (t) => {
        const { place, open } = await given(t)
        const opened = open({ method: 'POST', body })
        const size = body === 'chunked' ? 200_000 : body
        feed(opened, size)
        const complete = () => {
          const [connection] = place.connections
          const message = connection === undefined ? null : readMessage(connection.received, 0, { kind: 'request', closed: false })
          assert.equal(message?.fault ?? null, null)
          return message?.complete === true ? message : null
        }
        await until(() => complete() !== null, 'the request is whole')
        assert.equal(complete()?.body.length, size)
        assert.equal(complete()?.framing, body === 'chunked' ? 'chunked' : 'length')
        place.connections[0]?.send(ok)
        await opened.answer.hears('end')
        assert.equal(opened.answer.wants, 1)
      })

    test('that the client sends only when asked (Expect) is asked for once the connection stands', async (t) => {
      const { place, open } = await given(t, { connections: 1 })
      const first = open({ target: '/first' })
      const connection = await place.at('/first')
      const opened = open({ method: 'POST', body: 5, expectContinue: true })
      await quiet()
      assert.equal(opened.answer.wants, 0)
      feed(opened, 5)
      connection.send(ok)
      await first.answer.hears('end')
      ;(await place.at('xxxxx')).send(ok)
      await opened.answer.hears('end')
    })

    test('is taken no faster than the app takes it', async (t) => {
      const { place, open } = await given(t)
      place.serve = (connection) => connection.socket.pause()
      const total = 64 * 1024 * 1024
      const opened = open({ method: 'PUT', body: total })
      const { written } = feed(opened, total)
      const before = await standsStill(written)
      assert.ok(before < total / 2, `${before} bytes were taken for an app that takes none`)
      place.connections[0]?.socket.resume()
      await until(() => (place.connections[0]?.socket.bytesRead ?? 0) >= total, 'all of it has arrived')
      assert.ok(opened.answer.writables > 0)
      place.connections[0]?.send(ok)
      await opened.answer.hears('end')
    })

    test('that is answered before its end: the answer is whole, and the connection is not used again', async (t) => {
      const { place, open } = await given(t)
      const opened = open({ method: 'POST', body: 100_000 })
      opened.answer.onWanted = () => opened.call.write(Buffer.alloc(50_000, 'x'))
      ;(await place.at('xxxx')).send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno')
      await opened.answer.hears('end')
      assert.deepEqual(opened.answer.heard, ['respond 413 Content Too Large', 'chunk', 'end'])
      await place.empty()
      place.answers(() => ok)
      await open({ target: '/next' }).answer.hears('end')
    })

    test('may go on while the response has begun already', async (t) => {
      const { place, open } = await given(t)
      const opened = open({ method: 'POST', body: 'chunked' })
      opened.answer.onWanted = () => opened.call.write(Buffer.from('first'))
      const connection = await place.at('first')
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
      await until(() => opened.answer.body.toString() === 'first', 'the echo has begun')
      opened.call.write(Buffer.from('second'))
      await place.at('second')
      opened.call.end(null)
      await place.at('0\r\n\r\n')
      connection.send('6\r\nsecond\r\n0\r\n\r\n')
      await opened.answer.hears('end')
      assert.equal(opened.answer.body.toString(), 'firstsecond')
    })

    if (deviations.noRequestTrailers !== true)
      test('has its trailers', async (t) => {
        const { place, open } = await given(t)
        const opened = open({ method: 'POST', body: 'chunked' }, (call) => {
          call.write(Buffer.from('x'))
          call.end(['X-Sum', '42'])
        })
        ;(await place.at('X-Sum: 42')).send(ok)
        await opened.answer.hears('end')
      })
  })

  describe(`${name}: a response that is not taken`, () => {
    test('is not read: after a refused chunk only what was on its way still comes, until resume', async (t) => {
      const { place, open } = await given(t)
      const total = 64 * 1024 * 1024
      const { call, answer } = open()
      answer.keeps = false
      answer.takes = () => false
      const connection = await place.at('\r\n\r\n')
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
      connection.send(Buffer.alloc(total, 'x'))
      await until(() => answer.bytes > 0, 'the first chunk is here')
      const before = await standsStill(() => answer.bytes)
      assert.ok(before <= 1024 * 1024, `${before} bytes came after a refused chunk`)
      answer.takes = () => true
      call.resume()
      await answer.hears('end')
      assert.equal(answer.bytes, total)
    })

    test('can be paused and resumed at each chunk, and is whole', async (t) => {
      const { place, open } = await given(t)
      const total = 4 * 1024 * 1024
      const { call, answer } = open()
      answer.keeps = false
      answer.takes = () => {
        setImmediate(() => call.resume())
        return false
      }
      const connection = await place.at('\r\n\r\n')
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
      connection.send(Buffer.alloc(total, 'x'))
      await answer.hears('end')
      assert.equal(answer.bytes, total)
    })
  })

  describe(`${name}: abort`, () => {
    const sseHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n'

    for (const [what, begin] of [
      ['while the head is awaited', async (place: Place) => void (await place.at('\r\n\r\n'))],
      [
        'within the body',
        async (place: Place, { answer }: Opened) => {
          ;(await place.at('\r\n\r\n')).send(sseHead)
          await answer.until('chunk')
        },
      ],
      [
        'while the app does not get rid of its body',
        async (place: Place, { answer }: Opened) => {
          answer.takes = () => false
          const connection = await place.at('\r\n\r\n')
          connection.send(sseHead)
          connection.send(Buffer.alloc(8 * 1024 * 1024))
          await answer.until('chunk')
        },
      ],
    ] as const)
      test(`${what}: the app sees the end, the answer hears nothing more`, async (t) => {
        const { place, open } = await given(t)
        const opened = open()
        await begin(place, opened)
        opened.answer.silence()
        opened.call.abort(gone)
        opened.call.abort(gone)
        await place.empty()
        await quiet()
      })

    test('within the request’s body: the app sees that it is cut', async (t) => {
      const { place, open } = await given(t)
      const opened = open({ method: 'POST', body: 100_000 })
      opened.answer.onWanted = () => opened.call.write(Buffer.alloc(70_000, 'x'))
      const connection = await place.at('xxxx')
      opened.answer.silence()
      opened.call.abort(gone)
      await place.empty()
      assert.equal(readMessage(connection.received, 0, { kind: 'request', closed: true })?.complete, false)
    })

    for (const body of ['none', 5, 100_000, 'chunked'] as const)
      test(`at once (body ${body}): the answer hears nothing at all`, async (t) => {
        const { place, open } = await given(t)
        const { call, answer } = open({ method: 'PUT', body })
        answer.silence()
        call.abort(gone)
        await quiet(100)
        await place.empty()
      })

    test('while it waits for a connection: the next one in the queue has its turn', async (t) => {
      const { place, open } = await given(t, { connections: 1 })
      const first = open({ target: '/first' })
      const connection = await place.at('/first')
      const waiting = open({ target: '/waiting' })
      const next = open({ target: '/next' })
      waiting.answer.silence()
      waiting.call.abort(gone)
      connection.send(ok)
      await first.answer.hears('end')
      ;(await place.at('/next')).send(ok)
      await next.answer.hears('end')
      assert.ok(!place.connections.some(({ received }) => received.includes('/waiting')))
    })
  })

  describe(`${name}: failed, with how much was sent`, () => {
    test('nobody listens: connect-failed, nothing; whatever the body', async (t) => {
      const { place, open } = await given(t)
      await place.close()
      for (const body of ['none', 'chunked', 100_000] as const) {
        const { answer } = open({ method: 'POST', body })
        await answer.hears('failed connect-failed nothing')
      }
    })

    type Deed = (connection: RawSocket) => void
    const beforeHead: readonly (readonly [string, Deed, string])[] = [
      ['resets before any byte of the head', (connection) => reset(connection), 'upstream-reset'],
      ['closes before any byte of the head', (connection) => connection.end(), 'upstream-reset'],
      [
        'resets within the head',
        (connection) => void connection.socket.write('HTTP/1.1 200 OK\r\nX-A:', () => reset(connection)),
        'upstream-protocol',
      ],
      ['closes within the head', (connection) => void connection.socket.end('HTTP/1.1 200 OK\r\nX-A:'), 'upstream-protocol'],
      ['answers what is not HTTP', (connection) => connection.send('SSH-2.0-OpenSSH\r\n\r\n'), 'upstream-protocol'],
      [
        'answers with two lengths',
        (connection) => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'),
        'upstream-protocol',
      ],
      [
        'answers with a head above the limit',
        (connection) => connection.send(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
        'upstream-protocol',
      ],
    ]
    for (const [what, deed, code] of beforeHead)
      test(`the app ${what}: ${code}, and all was sent`, async (t) => {
        const { place, open } = await given(t)
        const { answer } = open()
        deed(await place.at('\r\n\r\n'))
        await until(() => answer.fault !== null, 'it has failed')
        await answer.hears(`failed ${code} all`)
        assert.deepEqual(answer.heard, [`failed ${code} all`])
      })

    test('the app resets within the request’s body: part was sent', async (t) => {
      const { place, open } = await given(t)
      const opened = open({ method: 'POST', body: 200_000 })
      opened.answer.onWanted = () => opened.call.write(Buffer.alloc(70_000, 'x'))
      reset(await place.at('xxxx'))
      await opened.answer.hears('failed upstream-reset part')
      // what its client still sends does no harm, and nothing more is heard of it
      opened.answer.silence()
      for (const late of ['more', 'and more']) opened.call.write(Buffer.from(late))
      opened.call.end(null)
      await quiet()
    })

    const cuts: readonly (readonly [string, string, Deed])[] = [
      ['a body of known length is closed', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', (connection) => connection.end()],
      ['a body of known length is reset', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', (connection) => reset(connection)],
      [
        'a body in chunks is closed',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
        (connection) => connection.end(),
      ],
      [
        'a body in chunks is reset',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
        (connection) => reset(connection),
      ],
      ['a body that ends with its connection is reset', 'HTTP/1.1 200 OK\r\n\r\nhalf', (connection) => reset(connection)],
    ]
    // a Unix socket knows no reset: there it is the end of such a body
    for (const [what, bytes, deed] of kind === 'unix' ? cuts.slice(0, -1) : cuts)
      test(`${what} half-way: what came is given, and then that it failed`, async (t) => {
        const { place, open } = await given(t)
        const { answer } = open()
        const connection = await place.at('\r\n\r\n')
        connection.send(bytes)
        await answer.until('chunk')
        deed(connection)
        await answer.hears('failed upstream-reset all')
        assert.deepEqual([answer.heard, answer.body.toString()], [['respond 200 OK', 'chunk', 'failed upstream-reset all'], 'half'])
      })

    test('a chunk that cannot be read: upstream-protocol, after what came before', async (t) => {
      const { place, open } = await given(t)
      const { answer } = open()
      const connection = await place.at('\r\n\r\n')
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n')
      await answer.hears('failed upstream-protocol all')
    })

    test('bytes after a response are no answer to the next request', async (t) => {
      const { place, open } = await given(t)
      const first = open({ target: '/first' })
      ;(await place.at('/first')).send(`${ok}HTTP/1.1 666 Smuggled\r\nContent-Length: 0\r\n\r\n`)
      await until(() => first.answer.heard.length > 1, 'the first is over')
      await quiet()
      const second = open({ target: '/second' })
      ;(await place.at('/second')).send(ok)
      await second.answer.hears('end')
      assert.equal(second.answer.heard[0], 'respond 200 OK')
    })

    if (kind === 'tcp')
      test('a connection that does not come about in time: connect-timeout, nothing', { skip: process.platform !== 'linux' }, async (t) => {
        const full = await FullBacklog.create()
        t.after(() => full.close())
        const transport = create(full.endpoint, { ...defaults, connectMs: 100 })
        t.after(() => transport.destroy())
        const answer = new RecordedAnswer()
        transport.open(headOf(), answer)
        answer.early = false
        await answer.hears('failed connect-timeout nothing')
      })
  })

  describe(`${name}: its end`, () => {
    test('close lets calls under way end, closes what is idle, and then is over', async (t) => {
      const { place, open, transport } = await given(t)
      const idle = open({ target: '/idle' })
      const busy = open({ target: '/busy' })
      ;(await place.at('/idle')).send(ok)
      await idle.answer.hears('end')
      const connection = await place.at('/busy')
      let isClosed = false
      const closed = transport.close().then(() => {
        isClosed = true
      })
      await quiet()
      assert.equal(isClosed, false)
      connection.send(ok)
      await busy.answer.hears('end')
      await closed
      await place.empty()
      const late = open()
      await until(() => late.answer.heard.length > 0, 'a late call is refused')
      assert.match(late.answer.heard.join(), /^failed [a-z-]+ nothing$/)
    })

    for (const body of ['none', 5, 100_000, 'chunked'] as const)
      test(`close right after a call was opened (body ${body}) lets it end`, async (t) => {
        const { place, open, transport } = await given(t)
        const opened = open({ method: 'PUT', body })
        feed(opened, body === 'none' ? 0 : body === 'chunked' ? 5 : body)
        const closed = transport.close()
        const connection = await place.at(body === 'none' ? '\r\n\r\n' : 'xxxxx')
        connection.send(ok)
        await opened.answer.hears('end')
        await closed
      })

    test('destroy cuts what is left: each call fails once, and nothing stays open', async (t) => {
      const { place, open, transport } = await given(t, { connections: 2 })
      const calls = ['/head', '/body', '/waiting'].map((target) => open({ target }))
      await place.at('/head')
      ;(await place.at('/body')).send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')
      await calls[1]?.answer.until('chunk')
      transport.destroy()
      transport.destroy()
      for (const { answer } of calls) {
        await until(() => answer.fault !== null, 'it has failed')
        await quiet()
        assert.equal(answer.heard.filter((what) => what.startsWith('failed')).length, 1)
      }
      assert.equal(calls[2]?.answer.sent, 'nothing')
      await place.empty()
    })

    test('close and then destroy: close is over, one way or the other', async (t) => {
      const { place, open, transport } = await given(t)
      const { answer } = open()
      await place.at('\r\n\r\n')
      const closed = Promise.allSettled([transport.close()])
      transport.destroy()
      await closed
      await until(() => answer.fault !== null, 'it has failed')
    })

    test('an idle connection is given up after its time', async (t) => {
      const { place, open } = await given(t, { keepAliveMs: 1_100 })
      place.answers(() => ok)
      await open().answer.hears('end')
      await place.empty()
    })

    test('connections are counted', async (t) => {
      const { place, open, transport } = await given(t)
      place.answers(() => ok)
      assert.equal(transport.connections, 0)
      const { answer } = open()
      await answer.hears('end')
      assert.equal(transport.connections, 1)
      place.connections[0]?.end()
      await until(() => transport.connections === 0, 'none is left')
    })
  })

  upgradeContract(name, kind, given)
}

const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\n\r\n'
const webSocket = { upgrade: 'websocket', raw: ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version', '13'] }

function upgradeContract(
  name: string,
  kind: PlaceKind,
  given: (t: TestContext, options?: Partial<TransportOptions>) => ReturnType<typeof setUp>,
): void {
  const tunnel = async (t: TestContext) => {
    const set = await given(t)
    const opened = set.open(webSocket)
    const connection = await set.place.at('\r\n\r\n')
    connection.send(switched)
    await opened.answer.until('upgraded')
    return { ...set, ...opened, connection }
  }

  describe(`${name}: an upgrade`, () => {
    test('asks as it was asked, and gives the answer’s fields in their order, case and number', async (t) => {
      const { answer, connection } = await tunnel(t)
      const text = connection.received.toString()
      assert.match(text, /^GET \/ HTTP\/1\.1\r\n/)
      for (const line of [
        /\r\nupgrade: websocket\r\n/i,
        /\r\nconnection: upgrade\r\n/i,
        /\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n/,
      ])
        assert.match(text, line)
      assert.deepEqual(answer.raw, ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'X-B', '1', 'x-a', '2', 'X-B', '3'])
      assert.equal(answer.wants, 1)
    })

    test('carries bytes both ways, those right behind the head too', async (t) => {
      const { place, open } = await given(t)
      const { call, answer } = open(webSocket)
      const connection = await place.at('\r\n\r\n')
      connection.send(`${switched}first`)
      await until(() => answer.body.toString() === 'first', 'the first bytes are here')
      call.write(Buffer.from([0, 255, 1]))
      await until(() => connection.received.subarray(-3).equals(Buffer.from([0, 255, 1])), 'they arrive as they are')
      connection.send('second')
      await until(() => answer.body.toString() === 'firstsecond', 'the second bytes are here')
    })

    test('ends when both sides have, in either order, and says nothing more', async (t) => {
      for (const appFirst of [true, false]) {
        const { call, answer, connection, transport } = await tunnel(t)
        if (appFirst) {
          connection.end()
          await answer.until('end')
          call.end(null)
        } else {
          call.end(null)
          await until(() => connection.ending === 'fin', 'the app sees the end')
          connection.end()
        }
        await answer.hears('end')
        await until(() => transport.connections === 0, 'it is not counted any more')
      }
    })

    test('one side may go on when the other has ended', async (t) => {
      const { call, answer, connection } = await tunnel(t)
      call.end(null)
      await until(() => connection.ending === 'fin', 'the app sees the end')
      connection.send('late')
      await until(() => answer.body.toString() === 'late', 'the late bytes are here')
      connection.end()
      await answer.hears('end')
    })

    test('is not read while it is paused', async (t) => {
      const { call, answer, connection } = await tunnel(t)
      const total = 64 * 1024 * 1024
      answer.keeps = false
      answer.takes = () => false
      connection.send(Buffer.alloc(total))
      await until(() => answer.bytes > 0, 'the first chunk is here')
      const before = await standsStill(() => answer.bytes)
      assert.ok(before <= 1024 * 1024, `${before} bytes came after a refused chunk`)
      answer.takes = () => true
      call.resume()
      await until(() => answer.bytes === total, 'all of it is here')
    })

    test('is taken no faster than the app takes it', async (t) => {
      const { call, answer, connection } = await tunnel(t)
      connection.socket.pause()
      let written = 0
      while (written < 64 * 1024 * 1024 && call.write(Buffer.alloc(65_536))) {
        written += 65_536
        await quiet(1)
      }
      assert.ok(written < 32 * 1024 * 1024, `${written} bytes were taken for an app that takes none`)
      const before = answer.writables
      connection.socket.resume()
      await until(() => answer.writables > before, 'more is wanted')
    })

    test('that is refused is a response like any other, with its body and trailers', async (t) => {
      const { place, open } = await given(t)
      const { answer } = open(webSocket)
      const connection = await place.at('\r\n\r\n')
      connection.send('HTTP/1.1 403 Not You\r\nX-B: 1\r\nx-b: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nX-Sum: 1\r\n\r\n')
      await answer.hears('end')
      assert.deepEqual(
        [answer.heard, answer.body.toString(), answer.trailers],
        [['respond 403 Not You', 'chunk', 'end'], 'no', ['X-Sum', '1']],
      )
    })

    test('nobody listens: connect-failed, nothing', async (t) => {
      const { place, open } = await given(t)
      await place.close()
      await open(webSocket).answer.hears('failed connect-failed nothing')
    })

    test('the app resets before its answer: upstream-reset, all', async (t) => {
      const { place, open } = await given(t)
      const { answer } = open(webSocket)
      reset(await place.at('\r\n\r\n'))
      await answer.hears('failed upstream-reset all')
      assert.deepEqual(answer.heard, ['failed upstream-reset all'])
    })

    if (kind === 'tcp')
      test('the app resets an open tunnel: failed, once', async (t) => {
        const { answer, connection, transport } = await tunnel(t)
        connection.send('last')
        await until(() => answer.body.toString() === 'last', 'the last bytes are here')
        reset(connection)
        await answer.hears('failed upstream-reset all')
        assert.deepEqual(answer.heard, ['upgraded', 'chunk', 'failed upstream-reset all'])
        await until(() => transport.connections === 0, 'it is not counted any more')
      })

    test('abort: the app sees the end, the answer hears nothing more; at once, and in an open tunnel', async (t) => {
      const { call, answer, place, open } = await tunnel(t)
      answer.silence()
      call.abort(gone)
      await place.empty()
      const early = open(webSocket)
      early.answer.silence()
      early.call.abort(gone)
      await quiet(100)
      await place.empty()
    })

    test('destroy: it fails, once, and nothing stays open', async (t) => {
      const { answer, place, transport } = await tunnel(t)
      transport.destroy()
      await until(() => answer.fault !== null, 'it has failed')
      await quiet()
      assert.equal(answer.heard.filter((what) => what.startsWith('failed')).length, 1)
      await place.empty()
    })

    test('close lets an open tunnel go on', async (t) => {
      const { call, answer, connection, transport } = await tunnel(t)
      void transport.close()
      await quiet()
      connection.send('still')
      await until(() => answer.body.toString() === 'still', 'it carries')
      call.end(null)
      connection.end()
      await answer.hears('end')
    })
  })
}

/** A listener that accepts nobody, its backlog full: a further connection stays in the air (Linux drops its SYN). */
class FullBacklog {
  readonly endpoint: Endpoint
  readonly #stop: () => void

  private constructor(endpoint: Endpoint, stop: () => void) {
    this.endpoint = endpoint
    this.#stop = stop
  }

  static async create(): Promise<FullBacklog> {
    const program =
      'const s = require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(s.address().port))'
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const port = Number(line.toString())
    child.kill('SIGSTOP')
    const fillers = Array.from({ length: 4 }, () => net.connect({ host: '127.0.0.1', port }).on('error', () => {}))
    await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')))
    return new FullBacklog({ is: 'tcp', address: '127.0.0.1', port }, () => {
      for (const filler of fillers) filler.destroy()
      child.kill('SIGKILL')
    })
  }

  close(): void {
    this.#stop()
  }
}
