/** What of the app's answer reaches the client, and in what framing (RFC 9110 §6, §15, RFC 9112 §6). */
import type { Case, ExpectedResponse, Step } from '../case.ts'
import { answered, answers, chunk, get, head, last, ok, req, res } from '../wire.ts'

const chunked = (...lines: string[]): string => res('200 OK', ...lines, 'Transfer-Encoding: chunked')
/** The app sends this and ends the connection: the close delimits the body. */
const untilClose = (text: string): readonly Step[] => [...answers(text), 'end']
const http10 = (...lines: string[]): string => req('GET / HTTP/1.0', 'Host: app.test', ...lines)
const shows = (name: string, rfc: string, lines: readonly string[], client: Partial<ExpectedResponse>): Case =>
  answered(name, rfc, ok('hello', ...lines), { status: 200, body: 'hello', ...client })

export const responses: readonly Case[] = [
  answered('status, reason and body arrive', 'RFC 9112 §4', `${res('200 Rather fine', 'Content-Length: 5')}hello`, {
    status: 200,
    line: 'HTTP/1.1 200 Rather fine',
    body: 'hello',
  }),
  answered('an empty reason is good', 'RFC 9112 §4', `${res('200 ', 'Content-Length: 5')}hello`, { status: 200, body: 'hello' }),
  answered('a status that is not known arrives', 'RFC 9110 §15', `${res('299 Odd', 'Content-Length: 5')}hello`, {
    status: 299,
    body: 'hello',
  }),
  answered('a 599 arrives', 'RFC 9110 §15', `${res('599 Odd', 'Content-Length: 5')}hello`, { status: 599, body: 'hello' }),
  answered('a 500 of the app is the app’s answer', 'RFC 9110 §15.6.1', `${res('500 Oops', 'Content-Length: 4')}oops`, {
    status: 500,
    body: 'oops',
    lacks: ['baton-error'],
  }),
  answered('a 503 of the app keeps its Retry-After', 'RFC 9110 §10.2.3', res('503 Busy', 'Retry-After: 7', 'Content-Length: 0'), {
    status: 503,
    has: ['Retry-After: 7'],
    body: '',
  }),
  answered('a redirect keeps its Location', 'RFC 9110 §10.2.2', res('302 Found', 'Location: http://127.0.0.1/x', 'Content-Length: 0'), {
    status: 302,
    has: ['Location: http://127.0.0.1/x'],
  }),
  shows('order, case and duplicates are kept', 'RFC 9110 §5.3', ['b-Two: 1', 'A-One: 2', 'B-tWO: 3'], {
    has: ['b-Two: 1', 'A-One: 2', 'B-tWO: 3'],
  }),
  shows(
    'Set-Cookie lines stay lines of their own',
    'RFC 9110 §5.3',
    ['Set-Cookie: a=1', 'A: b', 'SET-COOKIE: c=2; Path=/', 'Set-Cookie: a=1'],
    {
      has: ['Set-Cookie: a=1', 'A: b', 'SET-COOKIE: c=2; Path=/', 'Set-Cookie: a=1'],
    },
  ),
  shows('bytes above 127 in a value arrive as they are', 'RFC 9110 §5.5', ['A: caf\xc3\xa9 \xff'], { has: ['A: caf\xc3\xa9 \xff'] }),
  shows('an empty value is kept', 'RFC 9110 §5.5', ['A: '], { fields: { a: '' } }),
  shows('Server and Date of the app are kept, and once', 'RFC 9110 §10.2.4', ['Server: app/1', 'Date: Tue, 24 Nov 2026 10:00:00 GMT'], {
    fields: { server: 'app/1', date: 'Tue, 24 Nov 2026 10:00:00 GMT' },
  }),
  shows('a Date is added where there is none', 'RFC 9110 §6.6.1', [], { fields: { date: /GMT$/ } }),
  shows('a Content-Length stays a Content-Length', 'RFC 9110 §8.6', [], { framing: 'length' }),
  shows('Vary, ETag and Cache-Control are kept', 'RFC 9110 §7.6.1', ['Vary: A', 'ETag: W/"x"', 'Cache-Control: no-store'], {
    has: ['Vary: A', 'ETag: W/"x"', 'Cache-Control: no-store'],
  }),

  shows('fields that Connection lists go', 'RFC 9110 §7.6.1', ['Connection: X-A, x-b', 'X-A: 1', 'X-B: 2', 'X-C: 3'], {
    lacks: ['x-a', 'x-b'],
    has: ['X-C: 3'],
  }),
  shows('Keep-Alive of the app goes', 'RFC 9110 §7.6.1', ['Keep-Alive: timeout=77'], { fields: { 'keep-alive': /^(?!.*77)/ } }),
  shows('Proxy-Connection goes', 'RFC 9110 §7.6.1', ['Proxy-Connection: keep-alive'], { lacks: ['proxy-connection'] }),
  shows('Upgrade goes', 'RFC 9110 §7.8', ['Upgrade: h2c', 'Connection: Upgrade'], { lacks: ['upgrade'] }),
  shows('Connection: close of the app is not the client’s', 'RFC 9110 §7.6.1', ['Connection: close'], {
    fields: { connection: /^(?!.*close)/i },
  }),
  shows('Connection cannot strip Content-Length', 'DESIGN §5', ['Connection: Content-Length, Set-Cookie', 'Set-Cookie: a=1'], {
    framing: 'length',
  }),
  shows('Via is added', 'DESIGN §5', [], { fields: { via: /^1\.1 \S+$/ } }),
  shows('Via is appended to what is there', 'DESIGN §5', ['Via: 1.0 fred'], { fields: { via: /^1\.0 fred, 1\.1 \S+$/ } }),
  shows('x-served-by names the version', 'DESIGN §4', [], { fields: { 'x-served-by': /^lane.$/ } }),

  answered(
    'HEAD has the length and no body',
    'RFC 9110 §9.3.2',
    ok('hello', 'A: b').slice(0, -5),
    { status: 200, head: true, has: ['A: b'], fields: { 'content-length': '5' } },
    { send: head('/') },
  ),
  answered(
    'HEAD of a chunked answer has no body',
    'RFC 9112 §6.3',
    chunked('A: b'),
    { status: 200, head: true, has: ['A: b'] },
    { send: head('/') },
  ),
  answered(
    'HEAD without a length has none invented',
    'RFC 9110 §8.6',
    res('200 OK', 'A: b'),
    { status: 200, head: true, lacks: ['content-length'] },
    { send: head('/') },
  ),
  answered('204 has no body and no length', 'RFC 9110 §15.3.5', res('204 No Content', 'A: b'), {
    status: 204,
    has: ['A: b'],
    lacks: ['content-length', 'transfer-encoding'],
  }),
  answered('304 keeps its length and has no body', 'RFC 9110 §15.4.5', res('304 Not Modified', 'ETag: "x"', 'Content-Length: 5'), {
    status: 304,
    has: ['ETag: "x"'],
    fields: { 'content-length': /^5?$/ },
  }),
  answered('304 without a length has none of another size', 'RFC 9110 §8.6', res('304 Not Modified', 'ETag: "x"'), {
    status: 304,
    lacks: ['content-length', 'transfer-encoding'],
  }),
  answered('205 ends', 'RFC 9110 §15.3.6', res('205 Reset Content', 'Content-Length: 0'), { status: 205, body: '' }),
  answered('Content-Length: 0 is an empty body', 'RFC 9112 §6.3', ok(''), { status: 200, body: '', framing: ['length', 'chunked'] }),

  answered('a chunked answer arrives', 'RFC 9112 §7.1', chunked() + chunk('hello ') + chunk('world') + last(), {
    status: 200,
    body: 'hello world',
    framing: ['chunked', 'length'],
  }),
  answered('chunk extensions of the app are dropped', 'RFC 9112 §7.1.1', `${chunked()}5;a=b\r\nhello\r\n0;c\r\n\r\n`, {
    status: 200,
    body: 'hello',
  }),
  answered('an empty chunked answer ends', 'RFC 9112 §7.1', chunked() + last(), { status: 200, body: '' }),
  answered(
    'an answer that the close ends arrives whole, and the client’s connection lives on',
    'RFC 9112 §6.3',
    untilClose(`${res('200 OK')}hello`),
    { status: 200, body: 'hello', framing: ['chunked', 'length'] },
  ),
  answered('an answer of an HTTP/1.0 app arrives', 'RFC 9112 §2.3', untilClose('HTTP/1.0 200 OK\r\nA: b\r\n\r\nhello'), {
    status: 200,
    line: 'HTTP/1.1 200 OK',
    body: 'hello',
    has: ['A: b'],
  }),
  answered(
    'an HTTP/1.0 client gets no chunks',
    'RFC 9112 §6.1',
    chunked() + chunk('hello') + last(),
    { status: 200, body: 'hello', lacks: ['transfer-encoding'] },
    {
      send: http10(),
      expect: {
        app: 'anything',
        client: { status: 200, body: 'hello', lacks: ['transfer-encoding'], framing: ['close', 'length'] },
        connection: 'closed',
      },
    },
  ),
  answered(
    'an HTTP/1.0 client gets a body that the close ended',
    'RFC 9112 §6.3',
    untilClose(`${res('200 OK')}hello`),
    { status: 200 },
    {
      send: http10(),
      expect: { app: 'anything', client: { status: 200, body: 'hello', lacks: ['transfer-encoding'] }, connection: 'closed' },
    },
  ),
  answered(
    'an HTTP/1.0 client gets a length, and its connection closed',
    'RFC 9112 §9.3',
    ok('hello'),
    { status: 200 },
    {
      send: http10(),
      expect: { app: 'anything', client: { status: 200, body: 'hello', framing: 'length' }, connection: 'closed' },
    },
  ),
  answered(
    'trailers reach a client that wants them',
    'RFC 9110 §6.5.1',
    chunked('Trailer: X-Sum') + chunk('hello') + last('X-Sum: 5', 'X-Sum: 6'),
    { status: 200, body: 'hello', trailers: ['X-Sum: 5', 'X-Sum: 6'] },
    {
      send: get('/', 'TE: trailers', 'Connection: TE'),
    },
  ),
  answered(
    'trailers do not break the body of an HTTP/1.0 client',
    'RFC 9112 §7.1.2',
    chunked() + chunk('hello') + last('X-Sum: 5'),
    { status: 200 },
    {
      send: http10(),
      expect: { app: 'anything', client: { status: 200, body: 'hello' }, connection: 'closed' },
    },
  ),

  answered(
    '103 is passed on before the final answer',
    'RFC 9110 §15.2',
    res('103 Early Hints', 'Link: </a.css>; rel=preload') + ok('hello'),
    {
      status: 200,
      body: 'hello',
      informs: /^103$/,
      informHas: ['Link: </a.css>; rel=preload'],
    },
  ),
  answered(
    'two 103s are passed on',
    'RFC 9110 §15.2',
    res('103 Early Hints', 'Link: </a>') + res('103 Early Hints', 'Link: </b>') + ok('hello'),
    {
      status: 200,
      informs: /^103,103$/,
      informHas: ['Link: </a>', 'Link: </b>'],
    },
  ),
  answered('102 is passed on', 'RFC 2518 §10.1', res('102 Processing') + ok('hello'), { status: 200, informs: /^102$/ }),
  answered(
    'a 103 arrives before the final answer is there',
    'RFC 8297 §2',
    ['request', { send: res('103 Early Hints', 'Link: </a>') }, { other: '103 ' }, { send: ok('hello') }],
    { status: 200, informs: /^103$/ },
  ),
  answered(
    'an HTTP/1.0 client gets no 1xx',
    'RFC 9110 §15.2',
    res('103 Early Hints', 'Link: </a>') + ok('hello'),
    { status: 200 },
    {
      send: http10(),
      expect: { app: 'anything', client: { status: 200, body: 'hello' }, connection: 'closed' },
    },
  ),
  answered('a 100 that nobody asked for does no harm', 'RFC 9110 §15.2.1', res('100 Continue') + ok('hello'), {
    status: 200,
    body: 'hello',
    informs: /^(100)?$/,
  }),

  answered('what an app sends after its answer is nobody’s answer', 'RFC 9112 §9.2', ok('hello') + ok('evil', 'X-Evil: 1'), {
    status: 200,
    body: 'hello',
  }),
  answered('a body after a 204 is nobody’s answer', 'RFC 9110 §15.3.5', res('204 No Content') + ok('evil', 'X-Evil: 1'), { status: 204 }),
  answered(
    'a body after a 304 is nobody’s answer',
    'RFC 9110 §15.4.5',
    res('304 Not Modified', 'Content-Length: 4') + ok('evil', 'X-Evil: 1'),
    { status: 304 },
  ),
  answered('a body in answer to HEAD is nobody’s answer', 'RFC 9110 §9.3.2', ok('evil'), { status: 200, head: true }, { send: head('/') }),
  answered('a header of 12,000 bytes arrives', 'RFC 9110 §5.4', ok('hello', `A: ${'a'.repeat(12000)}`), {
    status: 200,
    has: [`A: ${'a'.repeat(12000)}`],
  }),
]
