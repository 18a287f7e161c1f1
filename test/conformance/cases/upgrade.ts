/** Upgraded connections (RFC 9110 §7.8, RFC 6455 §4). */
import type { Case, Step } from '../case.ts'
import { answers, chunk, get, last, ok, req, res } from '../wire.ts'

const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const asks = (...lines: string[]): string =>
  get('/ws', 'Upgrade: websocket', 'Connection: Upgrade', key, 'Sec-WebSocket-Version: 13', ...lines)
const accept = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const agrees = res('101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', accept)
/** A text frame with the mask 0, as a client sends it. */
const up = (text: string): string => `\x81${String.fromCharCode(0x80 + text.length)}\0\0\0\0${text}`
/** A text frame as a server sends it. */
const down = (text: string): string => `\x81${String.fromCharCode(text.length)}${text}`
const switched = { status: 101, has: [accept], fields: { upgrade: /^websocket$/i, connection: /upgrade/i } }
const plain = (name: string, send: string, rfc = 'RFC 9110 §7.8'): Case => ({
  name,
  rfc,
  send,
  expect: { app: { lacks: ['upgrade'] }, client: { status: 200 } },
})

function tunnel(
  name: string,
  rfc: string,
  client: readonly Step[],
  app: readonly Step[],
  bytes: { app: string; client: string },
  more: Partial<Case['expect']> = {},
): Case {
  return { name, rfc, send: client, app, expect: { app: {}, client: switched, tunnel: bytes, ...more } }
}

export const upgrade: readonly Case[] = [
  {
    name: 'the request arrives with all that a handshake needs',
    rfc: 'RFC 6455 §4.1',
    send: [{ send: asks('Sec-WebSocket-Protocol: chat, super', 'Sec-WebSocket-Extensions: permessage-deflate') }, { sees: '\r\n\r\n' }],
    app: [{ send: agrees }],
    expect: {
      app: {
        line: 'GET /ws HTTP/1.1',
        has: [key, 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: chat, super', 'Sec-WebSocket-Extensions: permessage-deflate'],
        fields: { upgrade: /^websocket$/i, connection: /^upgrade$/i, host: 'app.test', via: /^1\.1 \S+$/ },
      },
      client: switched,
    },
  },
  {
    name: 'the handshake gets the forwarding fields and loses hop-by-hop ones',
    rfc: 'DESIGN §5',
    send: [{ send: asks('X-Forwarded-For: 10.9.8.7', 'Keep-Alive: 5', 'Proxy-Connection: x') }, { sees: '\r\n\r\n' }],
    app: [{ send: agrees }],
    expect: {
      app: { fields: { 'x-forwarded-for': '127.0.0.1', 'baton-version': /^lane.$/ }, lacks: ['keep-alive', 'proxy-connection'] },
      client: switched,
    },
  },
  {
    name: 'Connection: Upgrade, X-A loses X-A and keeps the upgrade',
    rfc: 'RFC 9110 §7.6.1',
    send: [
      { send: get('/ws', 'Upgrade: WebSocket', 'Connection: keep-alive, x-a, upgrade', 'X-A: 1', key, 'Sec-WebSocket-Version: 13') },
      { sees: '\r\n\r\n' },
    ],
    app: [{ send: agrees }],
    expect: { app: { lacks: ['x-a'], fields: { upgrade: /^websocket$/i } }, client: switched },
  },
  tunnel(
    'bytes go both ways after the 101',
    'RFC 6455 §5',
    [{ send: asks() }, { sees: '\r\n\r\n' }, { send: up('one') }, { sees: down('two') }, { send: up('three') }, { other: 'three' }],
    [{ send: agrees }, { sees: up('one') }, { send: down('two') }],
    { app: up('one') + up('three'), client: down('two') },
  ),
  tunnel(
    'bytes that come with the app’s 101 arrive',
    'RFC 9110 §7.8',
    [{ send: asks() }, { sees: 'early' }],
    [{ send: agrees + down('early') }],
    { app: '', client: down('early') },
  ),
  tunnel(
    'bytes that come with the client’s request arrive',
    'RFC 9110 §7.8',
    [{ send: asks() + up('early') }, { sees: '\r\n\r\n' }, { other: 'early' }],
    [{ send: agrees }],
    { app: up('early'), client: '' },
  ),
  tunnel(
    'a client that half-closes can still be written to',
    'DESIGN §2',
    [{ send: asks() }, { sees: '\r\n\r\n' }, { send: up('bye') }, 'end', { sees: down('last') }, 'closed'],
    [{ send: agrees }, { sees: up('bye') }, 'closed', { send: down('last') }, 'end'],
    { app: up('bye'), client: down('last') },
    { connection: 'closed' },
  ),
  tunnel(
    'an app that half-closes can still be written to',
    'DESIGN §2',
    [{ send: asks() }, { sees: down('bye') }, 'closed', { send: up('last') }, { other: up('last') }, 'end'],
    [{ send: agrees + down('bye') }, 'end'],
    { app: up('last'), client: down('bye') },
    { appToldOfEnd: true },
  ),
  tunnel(
    'a client that resets ends the app’s connection',
    'RFC 6455 §7.1.1',
    [{ send: asks() }, { sees: '\r\n\r\n' }, { send: up('one') }, { other: 'one' }, 'reset'],
    [{ send: agrees }, 'closed'],
    { app: up('one'), client: '' },
    { appToldOfEnd: true },
  ),
  tunnel(
    'an app that resets ends the client’s connection',
    'RFC 6455 §7.1.1',
    [{ send: asks() }, { sees: 'one' }, 'closed'],
    [{ send: agrees + down('one') }, { other: 'one' }, 'reset'],
    { app: '', client: down('one') },
    { connection: 'closed' },
  ),
  {
    name: 'a refusal with a length arrives whole',
    rfc: 'RFC 6455 §4.2.2',
    send: asks(),
    app: [{ send: `${res('403 No', 'Content-Length: 5', 'A: b')}never` }],
    expect: { app: {}, client: { status: 403, line: 'HTTP/1.1 403 No', body: 'never', has: ['A: b'] } },
  },
  {
    name: 'a chunked refusal arrives whole',
    rfc: 'RFC 6455 §4.2.2',
    send: asks(),
    app: [{ send: res('401 Who', 'Transfer-Encoding: chunked', 'WWW-Authenticate: Basic') + chunk('who ') + chunk('are you') + last() }],
    expect: { app: {}, client: { status: 401, body: 'who are you', has: ['WWW-Authenticate: Basic'] } },
  },
  {
    name: 'a refusal that the close ends arrives whole',
    rfc: 'RFC 6455 §4.2.2',
    send: asks(),
    app: [{ send: `${res('400 No')}never` }, 'end'],
    expect: { app: {}, client: { status: 400, body: 'never' } },
  },
  {
    name: 'a refusal without a body arrives',
    rfc: 'RFC 6455 §4.2.2',
    send: asks(),
    app: [{ send: res('426 Upgrade Required', 'Sec-WebSocket-Version: 13', 'Content-Length: 0') }],
    expect: { app: {}, client: { status: 426, body: '', has: ['Sec-WebSocket-Version: 13'] } },
  },
  {
    name: 'an app that ignores the upgrade answers as ever',
    rfc: 'RFC 9110 §7.8',
    send: asks(),
    app: [{ send: ok('hello') }],
    expect: { app: {}, client: { status: 200, body: 'hello' } },
  },
  {
    name: 'an app that closes instead of an answer: 502',
    rfc: 'RFC 9110 §15.6.3',
    send: asks(),
    app: ['end'],
    expect: { app: 'anything', client: { status: 502 } },
  },
  {
    name: 'a handshake whose app is down: 502',
    rfc: 'RFC 9110 §15.6.3',
    send: asks(),
    appDown: true,
    expect: { app: 'nothing', client: { status: 502 } },
  },
  {
    name: 'an app that switches to what was not asked for: 502',
    rfc: 'RFC 9110 §7.8',
    send: asks(),
    app: [{ send: `${res('101 Switching Protocols', 'Upgrade: evil', 'Connection: Upgrade', 'X-Evil: 1')}raw` }],
    expect: { app: 'anything', client: { status: 502, lacks: ['x-evil'] } },
  },
  plain('an upgrade to something else is not forwarded', get('/x', 'Upgrade: tunnel/1', 'Connection: Upgrade'), 'DESIGN §5'),
  plain('an upgrade to TLS is not forwarded', get('/x', 'Upgrade: TLS/1.0', 'Connection: Upgrade'), 'DESIGN §5'),
  plain(
    'an upgrade of an HTTP/1.0 request is ignored',
    req('GET /x HTTP/1.0', 'Host: app.test', 'Upgrade: websocket', 'Connection: Upgrade', key),
  ),
  {
    name: 'an upgrade to something else that the app accepts is no tunnel',
    rfc: 'DESIGN §5',
    send: get('/x', 'Upgrade: tunnel/1', 'Connection: Upgrade'),
    app: answers(`${res('101 Switching Protocols', 'Upgrade: tunnel/1', 'Connection: Upgrade', 'X-Evil: 1')}raw`),
    expect: { app: 'anything', client: { status: 502, lacks: ['x-evil'] } },
  },
  {
    name: 'a handshake on a kept connection is one',
    rfc: 'RFC 6455 §4.1',
    send: [
      { send: get('/1') },
      { responses: 1 },
      { send: asks() },
      { sees: '101 Switching' },
      { sees: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n' },
    ],
    app: [answers(ok('ok')), [{ send: agrees }]],
    expect: { app: [{}, {}], client: [{ status: 200 }, switched] },
  },
]
