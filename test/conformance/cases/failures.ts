/** What is tried again, what must not be, and what the client is told (DESIGN §5, RFC 9110 §9.2.2). */
import type { Case, ExpectedRequest, Step } from '../case.ts'
import { answers, get, ok, post, req, res } from '../wire.ts'

const spare = 'X-Fallback: 1'
const closes: readonly Step[] = ['request', 'end']
const resets: readonly Step[] = ['request', 'reset']
const fine = answers(ok('ok'))
const line = (method: string, target: string): ExpectedRequest => ({ line: `${method} ${target} HTTP/1.1` })
const put = (target: string, body: string): string =>
  req(`PUT ${target} HTTP/1.1`, 'Host: app.test', `Content-Length: ${body.length}`) + body

/** The second request goes out on the connection of the first, and the app ends that without an answer: what a stale connection looks like. */
function stale(name: string, rfc: string, second: string, then: Pick<Case['expect'], 'app' | 'client'>, end = closes): Case {
  return {
    name,
    rfc,
    send: [{ send: get('/1') }, { responses: 1 }, { send: second }, { responses: 2 }],
    app: [fine, end, fine],
    expect: then,
  }
}

export const failures: readonly Case[] = [
  {
    name: 'a refused connection is 502',
    rfc: 'RFC 9110 §15.6.3',
    send: get('/'),
    appDown: true,
    expect: { app: 'nothing', client: { status: 502 } },
  },
  {
    name: 'a refused connection is 502, the reason in baton-error',
    rfc: 'DESIGN §4',
    send: get('/'),
    appDown: true,
    expect: { app: 'nothing', client: { status: 502, fields: { 'baton-error': /./ }, framing: 'length' } },
  },
  {
    name: 'a refused connection of a POST is 502',
    rfc: 'RFC 9110 §15.6.3',
    send: post('/', 'hello'),
    appDown: true,
    expect: { app: 'nothing', client: { status: 502 } },
  },
  {
    name: 'a 502 of a HEAD has no body',
    rfc: 'RFC 9110 §9.3.2',
    send: req('HEAD / HTTP/1.1', 'Host: app.test'),
    appDown: true,
    expect: { app: 'nothing', client: { status: 502, head: true } },
  },
  {
    name: 'a refused connection goes to the fallback',
    rfc: 'DESIGN §5',
    send: get('/', spare),
    appDown: true,
    expect: { app: 'nothing', client: { status: 200, body: 'spare' } },
  },
  {
    name: 'a refused connection of a POST goes to the fallback, with its body',
    rfc: 'DESIGN §5',
    send: post('/', 'hello', spare),
    appDown: true,
    expect: { app: 'nothing', client: { status: 200, body: 'spare' } },
  },
  {
    name: 'a GET that met a closed connection is tried again',
    rfc: 'DESIGN §5',
    send: get('/1'),
    app: [closes, fine],
    expect: { app: [line('GET', '/1'), line('GET', '/1')], client: { status: 200 }, connection: 'kept', appConnections: 2 },
  },
  {
    name: 'a GET that met a reset is tried again',
    rfc: 'DESIGN §5',
    send: get('/1'),
    app: [resets, fine],
    expect: { app: [line('GET', '/1'), line('GET', '/1')], client: { status: 200 }, connection: 'kept', appConnections: 2 },
  },
  {
    name: 'a GET is tried twice at most',
    rfc: 'DESIGN §5',
    send: get('/1'),
    app: closes,
    expect: { app: [line('GET', '/1'), line('GET', '/1')], client: { status: 502 } },
  },
  {
    name: 'a GET that fails twice goes to the fallback',
    rfc: 'DESIGN §5',
    send: get('/1', spare),
    app: closes,
    expect: { app: [line('GET', '/1'), line('GET', '/1')], client: { status: 200, body: 'spare' }, connection: 'kept' },
  },
  {
    name: 'a small PUT is tried again with the same body',
    rfc: 'DESIGN §5',
    send: put('/1', 'hello'),
    app: [closes, fine],
    expect: {
      app: [
        { line: 'PUT /1 HTTP/1.1', body: 'hello' },
        { line: 'PUT /1 HTTP/1.1', body: 'hello' },
      ],
      client: { status: 200 },
      connection: 'kept',
    },
  },
  {
    name: 'a large PUT is not tried again',
    rfc: 'DESIGN §5',
    send: put('/1', 'x'.repeat(100_000)),
    app: [closes, fine],
    expect: { app: line('PUT', '/1'), client: { status: 502 } },
  },
  {
    name: 'a POST that met a closed connection is not doubled',
    rfc: 'RFC 9110 §9.2.2',
    send: post('/1', 'hello'),
    app: [closes, fine],
    expect: { app: line('POST', '/1'), client: { status: 502 } },
  },
  {
    name: 'a POST that met a reset is not doubled',
    rfc: 'RFC 9110 §9.2.2',
    send: post('/1', 'hello'),
    app: [resets, fine],
    expect: { app: line('POST', '/1'), client: { status: 502 } },
  },
  {
    name: 'a POST that may have been done does not go to the fallback',
    rfc: 'RFC 9110 §9.2.2',
    send: post('/1', 'hello', spare),
    app: [closes, fine],
    expect: { app: line('POST', '/1'), client: { status: 502 } },
  },
  {
    name: 'a PATCH is not doubled',
    rfc: 'RFC 9110 §9.2.2',
    send: req('PATCH /1 HTTP/1.1', 'Host: app.test', 'Content-Length: 0'),
    app: [closes, fine],
    expect: { app: line('PATCH', '/1'), client: { status: 502 } },
  },
  stale('a GET on a stale connection is tried again', 'RFC 9112 §9.5', get('/2'), {
    app: [line('GET', '/1'), line('GET', '/2'), line('GET', '/2')],
    client: [{ status: 200 }, { status: 200 }],
  }),
  stale(
    'a GET on a connection that is reset is tried again',
    'RFC 9112 §9.5',
    get('/2'),
    { app: [line('GET', '/1'), line('GET', '/2'), line('GET', '/2')], client: [{ status: 200 }, { status: 200 }] },
    resets,
  ),
  stale('a POST on a stale connection is not doubled', 'RFC 9110 §9.2.2', post('/2', 'hello'), {
    app: [line('GET', '/1'), line('POST', '/2')],
    client: [{ status: 200 }, { status: 502 }],
  }),
  stale(
    'a POST on a connection that is reset is not doubled',
    'RFC 9110 §9.2.2',
    post('/2', 'hello'),
    { app: [line('GET', '/1'), line('POST', '/2')], client: [{ status: 200 }, { status: 502 }] },
    resets,
  ),
  {
    name: 'a GET of which an answer has begun is not tried again',
    rfc: 'DESIGN §5',
    send: get('/1'),
    app: [['request', { send: 'HTTP/1.1 200 OK\r\n' }, 'end'], fine],
    expect: { app: line('GET', '/1'), client: { status: 502 } },
  },
  {
    name: 'a 503 of the app is not tried again',
    rfc: 'DESIGN §5',
    send: get('/1', spare),
    app: [answers(res('503 Busy', 'Content-Length: 0')), fine],
    expect: { app: line('GET', '/1'), client: { status: 503, lacks: ['baton-error'] }, connection: 'kept' },
  },
]
