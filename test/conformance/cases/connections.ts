/** How long a connection lives, and what is told of its end, on both sides (RFC 9112 §9). */
import type { Case, ExpectedResponse, Step } from '../case.ts'
import { answers, chunk, get, last, ok, post, postChunked, req, res } from '../wire.ts'

const twice = (first: string, second: string): readonly Step[] => [{ send: first }, { responses: 1 }, { send: second }, { responses: 2 }]
const okay: ExpectedResponse = { status: 200 }
const line = (target: string, method = 'GET'): { line: string } => ({ line: `${method} ${target} HTTP/1.1` })
const bad = 'GET /bad HTTP/1.1\r\nHost: app.test\r\nX-Lane: $LANE\r\nA : b\r\n\r\n'
const floodBytes = 48 * 1024 * 1024

export const connections: readonly Case[] = [
  {
    name: 'a connection to the app carries one request after the other',
    rfc: 'RFC 9112 §9.3',
    send: twice(get('/1'), get('/2')),
    expect: { app: [line('/1'), line('/2')], client: [okay, okay], connection: 'kept', appConnections: 1 },
  },
  {
    name: 'a connection to the app is used again after a POST',
    rfc: 'RFC 9112 §9.3',
    send: twice(post('/1', 'hello'), get('/2')),
    expect: { app: [line('/1', 'POST'), line('/2')], client: [okay, okay], connection: 'kept', appConnections: 1 },
  },
  {
    name: 'Connection: close of the client is the client’s alone',
    rfc: 'RFC 9112 §9.6',
    send: get('/1', 'Connection: close'),
    expect: {
      app: { ...line('/1'), fields: { connection: /^(?!.*close)/i } },
      client: { status: 200, fields: { connection: /close/i } },
      connection: 'closed',
    },
  },
  {
    name: 'Connection: Close is read in any case and among others',
    rfc: 'RFC 9112 §9.6',
    send: get('/1', 'Connection: x-a, CLOSE'),
    expect: { app: line('/1'), client: okay, connection: 'closed' },
  },
  {
    name: 'what follows a request with Connection: close is not served',
    rfc: 'RFC 9112 §9.6',
    send: [{ send: get('/1', 'Connection: close') + get('/2') }, 'closed'],
    expect: { app: line('/1'), client: okay, connection: 'closed' },
  },
  {
    name: 'an HTTP/1.0 connection closes',
    rfc: 'RFC 9112 §9.3',
    send: [{ send: req('GET /1 HTTP/1.0', 'Host: app.test') + get('/2') }, 'closed'],
    expect: { app: line('/1'), client: okay, connection: 'closed' },
  },
  {
    name: 'an app that closes an idle connection costs nobody a request',
    rfc: 'RFC 9112 §9.5',
    send: [{ send: get('/1') }, { responses: 1 }, { send: post('/2', 'hello') }, { responses: 2 }],
    app: [[...answers(ok('ok', 'Connection: close')), 'end'], answers(ok('ok'))],
    expect: { app: [line('/1'), line('/2', 'POST')], client: [okay, okay], connection: 'kept', appConnections: 2 },
  },
  {
    name: 'a connection that the app will close is not used again',
    rfc: 'RFC 9112 §9.6',
    send: twice(get('/1'), get('/2')),
    app: answers(ok('ok', 'Connection: close')),
    expect: { app: [line('/1'), line('/2')], client: [okay, okay], connection: 'kept', appConnections: 2 },
  },
  {
    name: 'a connection of an HTTP/1.0 app is not used again',
    rfc: 'RFC 9112 §9.3',
    send: twice(get('/1'), get('/2')),
    app: answers('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    expect: { app: [line('/1'), line('/2')], client: [okay, okay], connection: 'kept', appConnections: 2 },
  },

  {
    name: 'three requests at once are answered in order',
    rfc: 'RFC 9112 §9.3.2',
    send: get('/1') + get('/2') + get('/3'),
    app: [answers(ok('one')), answers(ok('two')), answers(ok('three'))],
    expect: {
      app: [line('/1'), line('/2'), line('/3')],
      client: [
        { status: 200, body: 'one' },
        { status: 200, body: 'two' },
        { status: 200, body: 'three' },
      ],
      connection: 'kept',
    },
  },
  {
    name: 'requests at once with bodies are told apart',
    rfc: 'RFC 9112 §9.3.2',
    send: post('/1', get('/smuggled')) + postChunked('/2') + chunk(get('/smuggled')) + last() + get('/3'),
    expect: { app: [line('/1', 'POST'), line('/2', 'POST'), line('/3')], client: [okay, okay, okay], connection: 'kept' },
  },
  {
    name: 'a request that comes byte by byte is one request',
    rfc: 'RFC 9112 §2.2',
    send: [
      ...[...post('/1', 'hello').replace('$LANE', '\u0001')].map((byte) => ({ send: byte === '\u0001' ? '$LANE' : byte })),
      { responses: 1 },
    ],
    expect: { app: { ...line('/1', 'POST'), body: 'hello' }, client: okay, connection: 'kept' },
  },
  {
    name: 'an empty line between two requests is skipped',
    rfc: 'RFC 9112 §2.2',
    send: `${post('/1', 'hello')}\r\n${get('/2')}`,
    expect: { app: [line('/1', 'POST'), line('/2')], client: [okay, okay], connection: 'kept' },
  },
  {
    name: 'a bad request after a good one: the good one is answered, then 400, then the end',
    rfc: 'RFC 9112 §9.3.2',
    send: get('/1') + bad + get('/3'),
    expect: { app: line('/1'), client: [okay, { status: 400 }], connection: 'closed' },
  },
  {
    name: 'a bad request on a kept connection gets 400 and the end',
    rfc: 'RFC 9112 §2.2',
    send: twice(get('/1'), bad + get('/3')),
    expect: { app: line('/1'), client: [okay, { status: 400 }], connection: 'closed' },
  },
  {
    name: 'a second request with two lengths never reaches the app',
    rfc: 'RFC 9112 §6.3',
    send: get('/1') + req('POST /2 HTTP/1.1', 'Host: app.test', 'Content-Length: 3', 'Content-Length: 4') + get('/3'),
    expect: { app: line('/1'), client: [okay, { status: 400 }], connection: 'closed' },
  },

  {
    name: 'a client that resets ends the app’s work',
    everywhere: true,
    rfc: 'DESIGN §5',
    send: [{ send: get('/1') }, { other: 'GET /1' }, 'reset'],
    app: ['request', 'closed'],
    expect: { app: line('/1'), client: 'nothing', appToldOfEnd: true },
  },
  {
    name: 'a client that resets within the answer ends the app’s work',
    everywhere: true,
    rfc: 'DESIGN §5',
    send: [{ send: get('/1') }, { sees: 'hello' }, 'reset'],
    app: ['request', { send: `${res('200 OK', 'Content-Length: 50')}hello` }, 'closed'],
    expect: { app: line('/1'), client: { status: 200, whole: false }, appToldOfEnd: true },
  },
  {
    name: 'a client that resets within its upload: the app sees a cut body',
    rfc: 'RFC 9112 §8',
    send: [{ send: post('/1', 'hello').replace('Content-Length: 5', 'Content-Length: 50') }, { other: 'hello' }, 'reset'],
    app: ['request', 'closed'],
    expect: { app: { ...line('/1', 'POST'), body: 'hello', whole: false }, client: 'nothing', appToldOfEnd: true },
  },
  {
    name: 'a client that ends within its chunked upload: the app never sees the last chunk',
    rfc: 'RFC 9112 §8',
    send: [{ send: postChunked('/1') + chunk('hello') }, { other: 'hello' }, 'end', 'closed'],
    app: ['request', 'closed'],
    expect: { app: 'nothing whole', client: 'anything', connection: 'closed' },
  },
  {
    // A process that exits sends a FIN and nothing else: no proxy can tell it from a half-close.
    name: 'a client that closes its side while it waits is gone: the app’s work ends',
    everywhere: true,
    rfc: 'DESIGN §5',
    send: [{ send: get('/1') }, { other: 'GET /1' }, 'end', 'closed'],
    app: ['request', 'closed'],
    expect: { app: line('/1'), client: 'anything', connection: 'closed', appToldOfEnd: true },
  },
  {
    name: 'a head that never ends is given up',
    rfc: 'RFC 9110 §15.5.9',
    send: [{ send: 'GET /1 HTTP/1.1\r\nHost: app.test\r\n' }, 'closed'],
    expect: { app: 'nothing', client: { status: [408, 400] }, connection: 'closed' },
  },
  {
    name: 'an app that never answers: 504, and its connection is ended',
    rfc: 'RFC 9110 §15.6.5',
    send: get('/1'),
    app: ['request', 'closed'],
    expect: { app: line('/1'), client: { status: 504 }, appToldOfEnd: true },
  },
  {
    name: 'an app that stalls within its body: the client sees a cut',
    rfc: 'RFC 9112 §8',
    send: [{ send: get('/1') }, 'closed'],
    app: ['request', { send: `${res('200 OK', 'Content-Length: 50')}hello` }, 'closed'],
    expect: { app: line('/1'), client: { status: 200, whole: false }, connection: 'closed', appToldOfEnd: true },
  },

  {
    name: 'a final answer before the end of the upload is passed on, and the connection closed',
    rfc: 'DESIGN §2',
    send: [{ send: post('/1', 'hello').replace('Content-Length: 5', 'Content-Length: 500000') }, { responses: 1 }, 'closed'],
    app: [{ sees: 'hello' }, { send: res('413 Too much', 'Content-Length: 4') }, { send: 'much' }],
    expect: { app: 'anything', client: { status: 413, body: 'much', fields: { connection: /close/i } }, connection: 'closed' },
  },
  {
    name: 'an app that answers and closes before the end of the upload: the answer arrives',
    rfc: 'RFC 9112 §9.5',
    send: [{ send: post('/1', 'hello').replace('Content-Length: 5', 'Content-Length: 500000') }, { responses: 1 }],
    app: [{ sees: 'hello' }, { send: `${res('401 Who', 'Content-Length: 3')}who` }, 'end'],
    expect: { app: 'anything', client: { status: 401, body: 'who' } },
  },
  {
    name: 'a client that does not read stops the app',
    everywhere: true,
    rfc: 'DESIGN §5',
    send: ['pause', { send: get('/1') }, { other: 'GET /1' }, 'stalled', 'resume', { gets: floodBytes }, { responses: 1 }],
    app: ['request', { send: res('200 OK', `Content-Length: ${floodBytes}`) }, { flood: floodBytes }],
    expect: { app: line('/1'), client: { status: 200, bodyBytes: floodBytes }, connection: 'kept' },
  },
  {
    name: 'an app that does not read stops the client',
    everywhere: true,
    rfc: 'DESIGN §5',
    send: [{ send: req('POST /1 HTTP/1.1', 'Host: app.test', `Content-Length: ${floodBytes}`) }, { flood: floodBytes }, { responses: 1 }],
    app: ['pause', 'stalled', 'resume', { gets: floodBytes }, ...answers(ok('ok'))],
    expect: { app: { ...line('/1', 'POST'), bodyBytes: floodBytes }, client: okay, connection: 'kept' },
  },
]
