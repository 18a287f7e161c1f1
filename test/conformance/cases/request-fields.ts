/** Which fields of a request reach the app, and as what (RFC 9110 §7.6, RFC 7239, DESIGN §4 and §5). */
import type { Case, ExpectedRequest } from '../case.ts'
import { answers, chunk, forwarded, get, last, ok, post, postChunked, req, res } from '../wire.ts'

const seen = (name: string, rfc: string, lines: readonly string[], app: ExpectedRequest): Case =>
  forwarded(name, rfc, get('/x', ...lines), app)
const trusted = (name: string, rfc: string, lines: readonly string[], app: ExpectedRequest): Case => ({
  ...seen(name, rfc, lines, app),
  from: '127.0.0.2',
})
const dropped = (name: string, value: string): Case =>
  seen(`${name} does not reach the app`, 'RFC 9110 §7.6.1', [`${name}: ${value}`], { lacks: [name] })
const expecting = req('POST /x HTTP/1.1', 'Host: app.test', 'Expect: 100-continue', 'Content-Length: 5')

export const requestFields: readonly Case[] = [
  seen('order, case and duplicates are kept', 'RFC 9110 §5.3', ['b-Two: 1', 'A-One: 2', 'B-tWO: 3', 'a-one: 4'], {
    has: ['b-Two: 1', 'A-One: 2', 'B-tWO: 3', 'a-one: 4'],
  }),
  seen('two Cookie lines are kept apart or joined by a semicolon', 'RFC 6265 §5.4', ['Cookie: a=1', 'Cookie: b=2'], {
    fields: { cookie: /^a=1[;,] b=2$/ },
  }),
  seen(
    'end-to-end fields are kept',
    'RFC 9110 §7.6.1',
    ['Authorization: Basic x', 'Accept: */*', 'Range: bytes=0-1', 'If-None-Match: "a"', 'Origin: http://x'],
    {
      has: ['Authorization: Basic x', 'Accept: */*', 'Range: bytes=0-1', 'If-None-Match: "a"', 'Origin: http://x'],
    },
  ),
  forwarded('the Host and its case are kept', 'RFC 9110 §7.2', req('GET / HTTP/1.1', 'hOST: App.Test:81'), {
    fields: { host: 'App.Test:81' },
  }),
  forwarded('User-Agent is not invented', 'RFC 9110 §10.1.5', get('/x'), { lacks: ['user-agent', 'accept', 'accept-encoding'] }),

  dropped('Keep-Alive', 'timeout=5'),
  dropped('Proxy-Connection', 'keep-alive'),
  dropped('HTTP2-Settings', 'AAMAAABkAAQAoAAAAAIAAAAA'),
  seen('Connection: keep-alive is not the app’s', 'RFC 9110 §7.6.1', ['Connection: keep-alive, X-A', 'X-A: 1', 'X-B: 2'], {
    lacks: ['x-a'],
    has: ['X-B: 2'],
    fields: { connection: /^(keep-alive)?$/i },
  }),
  seen(
    'fields that Connection lists go, on several lines and in any case',
    'RFC 9110 §7.6.1',
    ['Connection: x-ONE', 'X-One: 1', 'connection: , X-Two ,', 'X-TWO: 2', 'X-One: 3'],
    {
      lacks: ['x-one', 'x-two'],
    },
  ),
  seen('TE goes', 'RFC 9110 §10.1.4', ['TE: gzip;q=0.5, trailers', 'Connection: TE'], { fields: { te: /^(trailers)?$/ } }),
  seen(
    'Upgrade: h2c goes, and the request is answered',
    'RFC 9110 §7.8',
    ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA'],
    {
      lacks: ['upgrade', 'http2-settings'],
      fields: { connection: /^(keep-alive)?$/i },
    },
  ),
  forwarded('a POST with Upgrade: h2c keeps its body', 'RFC 9110 §7.8', post('/x', 'hello', 'Connection: Upgrade', 'Upgrade: h2c'), {
    lacks: ['upgrade'],
    body: 'hello',
  }),
  seen('Upgrade without Connection: Upgrade goes', 'RFC 9110 §7.8', ['Upgrade: websocket'], { lacks: ['upgrade'] }),
  seen('Connection cannot strip Host', 'DESIGN §5', ['Connection: Host'], { fields: { host: 'app.test' } }),
  seen('Connection cannot strip X-Forwarded-For', 'DESIGN §5', ['Connection: X-Forwarded-For, X-Forwarded-Proto, Via, baton-version'], {
    fields: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', via: /^1\.1 \S/, 'baton-version': /./ },
  }),
  forwarded('Connection cannot strip Content-Length', 'DESIGN §5', post('/x', 'hello', 'Connection: Content-Length'), { body: 'hello' }),
  forwarded(
    'Connection cannot strip Transfer-Encoding',
    'DESIGN §5',
    postChunked('/x', 'Connection: Transfer-Encoding') + chunk('hello') + last(),
    {
      body: 'hello',
    },
  ),

  seen('Via is added', 'RFC 9110 §7.6.3', [], { fields: { via: /^1\.1 \S+$/ } }),
  seen('Via is appended to what is there', 'RFC 9110 §7.6.3', ['Via: 1.0 fred, 1.1 p.example'], {
    fields: { via: /^1\.0 fred, 1\.1 p\.example, 1\.1 \S+$/ },
  }),
  {
    name: 'Via names the version that was received',
    rfc: 'RFC 9110 §7.6.3',
    send: req('GET /x HTTP/1.0', 'Host: app.test'),
    expect: { app: { line: 'GET /x HTTP/1.1', fields: { via: /^1\.0 \S+$/ } }, client: { status: 200 } },
  },

  seen('X-Forwarded-For, -Proto and -Host say what came', 'DESIGN §5', [], {
    fields: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'app.test' },
  }),
  seen('X-Forwarded-For of an untrusted peer is replaced', 'DESIGN §5', ['X-Forwarded-For: 10.9.8.7', 'x-forwarded-for: 10.9.8.6'], {
    fields: { 'x-forwarded-for': '127.0.0.1' },
  }),
  seen(
    'X-Forwarded-Proto and -Host of an untrusted peer are replaced',
    'DESIGN §5',
    ['X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.test', 'X-Forwarded-Proto: https'],
    {
      fields: { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'app.test' },
    },
  ),
  seen('Forwarded of an untrusted peer is replaced', 'RFC 7239 §8.1', ['Forwarded: for=10.9.8.7;proto=https'], {
    fields: { forwarded: /^(?!.*(10\.9\.8\.7|https))/ },
  }),
  seen('Forwarded is well formed', 'DESIGN §5', ['Forwarded: for=10.9.8.7'], {
    fields: { forwarded: /^(?=.*for=127\.0\.0\.1)[a-z]+=("[^"]*"|[^";, ]+)(;[a-z]+=("[^"]*"|[^";, ]+))*$/i },
  }),
  trusted('X-Forwarded-For of a trusted hop is appended to', 'DESIGN §5', ['X-Forwarded-For: 10.9.8.7'], {
    fields: { 'x-forwarded-for': '10.9.8.7, 127.0.0.2' },
  }),
  trusted(
    'X-Forwarded-Proto and -Host of a trusted hop are believed',
    'DESIGN §5',
    ['X-Forwarded-Proto: https', 'X-Forwarded-Host: shop.test'],
    {
      fields: { 'x-forwarded-proto': /^https/, 'x-forwarded-host': /^shop\.test/ },
    },
  ),
  trusted('Forwarded of a trusted hop is appended to', 'RFC 7239 §4', ['Forwarded: for=10.9.8.7;proto=https'], {
    fields: { forwarded: /^for=10\.9\.8\.7;proto=https, .*for=127\.0\.0\.2/i },
  }),
  trusted('a trusted hop that says nothing is the client', 'DESIGN §5', [], {
    fields: { 'x-forwarded-for': '127.0.0.2', 'x-forwarded-proto': 'http' },
  }),

  seen('baton-version is set', 'DESIGN §4', [], { fields: { 'baton-version': /^lane.$/ } }),
  seen('what the client sent under baton- is dropped', 'DESIGN §4', ['baton-version: v9', 'Baton-Anything: 1'], {
    fields: { 'baton-version': /^lane.$/ },
    lacks: ['baton-anything'],
  }),

  {
    name: 'Expect: 100-continue gets a 100 and its body through',
    rfc: 'RFC 9110 §10.1.1',
    send: [{ send: expecting }, { sees: 'HTTP/1.1 100 ' }, { send: 'hello' }, { responses: 1 }],
    expect: { app: { body: 'hello' }, client: { status: 200, informs: /^100$/ }, connection: 'kept' },
  },
  {
    name: 'Expect: 100-continue and an app that sends the 100 itself',
    rfc: 'RFC 9110 §10.1.1',
    send: [{ send: expecting }, { sees: 'HTTP/1.1 100 ' }, { send: 'hello' }, { responses: 1 }],
    app: [{ send: res('100 Continue') }, ...answers(ok('ok'))],
    expect: { app: { body: 'hello' }, client: { status: 200, informs: /^100(,100)?$/ }, connection: 'kept' },
  },
  {
    name: 'Expect: 100-continue and a client that does not wait',
    rfc: 'RFC 9110 §10.1.1',
    send: `${expecting}hello`,
    expect: { app: { body: 'hello' }, client: { status: 200, informs: /^(100)?$/ }, connection: 'kept' },
  },
  {
    name: 'Expect: 100-continue and an app that refuses by the head alone: no 100',
    rfc: 'RFC 9110 §10.1.1',
    send: [{ send: expecting }, { sees: 'HTTP/1.1 ' }, { send: 'hello' }, { responses: 1 }],
    app: [{ send: `${res('401 Who', 'Content-Length: 3')}who` }],
    expect: { app: 'anything', client: { status: 401, body: 'who' } },
  },
  {
    name: 'Expect: 100-continue of an HTTP/1.0 client is ignored',
    rfc: 'RFC 9110 §10.1.1',
    send: `${req('POST /x HTTP/1.0', 'Host: app.test', 'Expect: 100-continue', 'Content-Length: 5')}hello`,
    expect: { app: { body: 'hello' }, client: { status: 200 }, connection: 'closed' },
  },
  {
    name: 'an expectation that is not known gets 417 or is passed on',
    rfc: 'RFC 9110 §10.1.1',
    send: get('/x', 'Expect: wonders'),
    expect: { app: 'anything', client: { status: [200, 417] } },
  },
  {
    name: 'OPTIONS with Max-Forwards: 0 does not reach the app',
    rfc: 'RFC 9110 §7.6.2',
    send: req('OPTIONS /x HTTP/1.1', 'Host: app.test', 'Max-Forwards: 0'),
    expect: { app: 'nothing', client: { status: [200, 204, 405, 501] } },
  },
  {
    name: 'TRACE with Max-Forwards: 0 does not reach the app',
    rfc: 'RFC 9110 §7.6.2',
    send: req('TRACE /x HTTP/1.1', 'Host: app.test', 'Max-Forwards: 0'),
    expect: { app: 'nothing', client: { status: [200, 400, 405, 501] } },
  },
  forwarded(
    'Max-Forwards of OPTIONS goes down by one',
    'RFC 9110 §7.6.2',
    req('OPTIONS /x HTTP/1.1', 'Host: app.test', 'Max-Forwards: 5'),
    {
      fields: { 'max-forwards': '4' },
    },
  ),
  forwarded(
    'trailers of a request reach the app',
    'RFC 9110 §6.5.1',
    postChunked('/x', 'Trailer: X-Sum') + chunk('hello') + last('X-Sum: 5'),
    {
      body: 'hello',
      framing: 'chunked',
      trailers: ['X-Sum: 5'],
    },
  ),
  forwarded(
    'framing and routing fields in a request’s trailers do not reach the app',
    'RFC 9110 §6.5.1',
    postChunked('/x') + chunk('hello') + last('Host: evil.test', 'Authorization: x', 'Connection: x'),
    {
      body: 'hello',
      fields: { host: 'app.test' },
      trailers: [],
    },
  ),
  {
    name: 'a length in the trailers of a request is dropped or refused',
    rfc: 'RFC 9110 §6.5.1',
    send: postChunked('/x') + chunk('hello') + last('Content-Length: 9', 'Transfer-Encoding: gzip'),
    expect: { app: 'anything', client: { status: [200, 400] } },
  },
]
