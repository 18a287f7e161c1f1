/** Nothing waits for the whole of a body, in either direction (DESIGN §5; RFC 9112 §6 leaves it to the implementation). */
import type { Case, ExpectedRequest, ExpectedResponse, Step } from '../case.ts'
import { answers, chunk, get, last, ok, postChunked, req, res } from '../wire.ts'

const rfc = 'DESIGN §5'
const mebibyte = 1024 * 1024

/** The app sends each part when the client has the one before. */
function down(name: string, parts: readonly string[], client: ExpectedResponse, end: readonly Step[] = []): Case {
  const steps = parts.flatMap((part): Step[] => [{ send: part }, { other: part.split('\r\n').findLast((line) => line !== '') ?? '' }])
  return {
    name,
    rfc,
    everywhere: true,
    send: get('/'),
    app: ['request', ...steps, ...end],
    expect: { app: 'anything', client, connection: 'kept' },
  }
}

/** The client sends each part when the app has the one before. */
function up(name: string, head: string, parts: readonly string[], end: string, app: ExpectedRequest): Case {
  const steps = parts.flatMap((part): Step[] => [{ send: part }, { other: part.split('\r\n').findLast((line) => line !== '') ?? '' }])
  const send: readonly Step[] = [{ send: head }, ...steps, { send: end }, { responses: 1 }]
  return { name, rfc, everywhere: true, send, expect: { app, client: { status: 200 }, connection: 'kept' } }
}

export const streaming: readonly Case[] = [
  {
    name: 'the head of an answer arrives before its body is there',
    rfc,
    everywhere: true,
    send: get('/'),
    app: ['request', { send: res('200 OK', 'Content-Length: 5', 'A: b') }, { other: ': b\r\n' }, { send: 'hello' }],
    expect: { app: 'anything', client: { status: 200, body: 'hello' }, connection: 'kept' },
  },
  {
    name: 'the head of a chunked answer arrives before its body is there',
    rfc,
    everywhere: true,
    send: get('/'),
    app: [
      'request',
      { send: res('200 OK', 'Transfer-Encoding: chunked', 'A: b') },
      { other: ': b\r\n' },
      { send: chunk('hello') + last() },
    ],
    expect: { app: 'anything', client: { status: 200, body: 'hello' }, connection: 'kept' },
  },
  {
    name: 'events arrive one by one',
    rfc,
    everywhere: true,
    send: get('/', 'Accept: text/event-stream'),
    app: [
      'request',
      { send: res('200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked') + chunk('data: 1\n\n') },
      { other: 'data: 1\n\n' },
      { send: chunk('data: 2\n\n') },
      { other: 'data: 2\n\n' },
      { send: last() },
    ],
    expect: { app: 'anything', client: { status: 200, body: 'data: 1\n\ndata: 2\n\n' }, connection: 'kept' },
  },
  down(
    'chunks arrive one by one',
    [res('200 OK', 'Transfer-Encoding: chunked') + chunk('first'), chunk('second'), chunk('third'), last()],
    {
      status: 200,
      body: 'firstsecondthird',
    },
  ),
  down('parts of a length arrive one by one', [`${res('200 OK', 'Content-Length: 11')}first`, 'second'], {
    status: 200,
    body: 'firstsecond',
  }),
  down('parts of a body that the close ends arrive one by one', [`${res('200 OK')}first`, 'second'], { status: 200, body: 'firstsecond' }, [
    'end',
  ]),
  {
    name: 'the head of an upload reaches the app before its body is there',
    rfc,
    everywhere: true,
    send: [
      { send: req('POST /up HTTP/1.1', 'Host: app.test', 'Content-Length: 5') },
      { other: 'POST /up' },
      { send: 'hello' },
      { responses: 1 },
    ],
    expect: { app: { body: 'hello' }, client: { status: 200 }, connection: 'kept' },
  },
  up(
    'an upload with a length reaches the app part by part',
    req('POST /up HTTP/1.1', 'Host: app.test', 'Content-Length: 14'),
    ['first', 'second'],
    'end',
    {
      body: 'firstsecondend',
      framing: 'length',
    },
  ),
  up('a chunked upload reaches the app part by part', postChunked('/up'), [chunk('first'), chunk('second')], last(), {
    body: 'firstsecond',
    framing: 'chunked',
  }),
  {
    name: 'a mebibyte goes up and down unchanged',
    rfc,
    everywhere: true,
    send: [{ send: req('POST /big HTTP/1.1', 'Host: app.test', `Content-Length: ${mebibyte}`) }, { flood: mebibyte }, { responses: 1 }],
    app: ['request', { send: res('200 OK', `Content-Length: ${mebibyte}`) }, { flood: mebibyte }],
    expect: { app: { bodyBytes: mebibyte }, client: { status: 200, bodyBytes: mebibyte }, connection: 'kept' },
  },
  {
    name: 'a thousand small chunks go up unchanged',
    rfc,
    everywhere: true,
    send: postChunked('/small') + Array.from({ length: 1000 }, (_, n) => chunk(`${n};`)).join('') + last(),
    app: answers(ok('ok')),
    expect: { app: { body: Array.from({ length: 1000 }, (_, n) => `${n};`).join('') }, client: { status: 200 }, connection: 'kept' },
  },
  {
    name: 'a thousand small chunks come down unchanged',
    rfc,
    everywhere: true,
    send: get('/small'),
    app: answers(res('200 OK', 'Transfer-Encoding: chunked') + Array.from({ length: 1000 }, (_, n) => chunk(`${n};`)).join('') + last()),
    expect: {
      app: 'anything',
      client: { status: 200, body: Array.from({ length: 1000 }, (_, n) => `${n};`).join('') },
      connection: 'kept',
    },
  },
]
