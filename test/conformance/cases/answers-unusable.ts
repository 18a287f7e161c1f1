/** Answers that cannot be read, or do not end: 502 and never a raw byte, or a body that is visibly cut (RFC 9112 §6.3, §8). */
import type { Case, Step } from '../case.ts'
import { answers, chunk, get, last, ok, req, res, unusable } from '../wire.ts'

const evil = 'X-Evil: 1'
const rfc = 'RFC 9112 §6.3'
const chunked = res('200 OK', 'Transfer-Encoding: chunked')

/** The client has seen the beginning of the answer when the app does `then`: only a cut can tell it. */
function cut(name: string, section: string, begin: string, then: readonly Step[], send = get('/')): Case {
  const app: readonly Step[] = ['request', { send: begin }, { other: 'hello' }, ...then]
  return {
    name,
    rfc: section,
    send: [{ send }, { sees: 'hello' }, 'closed'],
    app,
    expect: { app: 'anything', client: { status: 200, whole: false }, connection: 'closed' },
  }
}

const either = (name: string, section: string, answer: string): Case => ({
  name,
  rfc: section,
  send: get('/'),
  app: answers(answer),
  expect: { app: 'anything', client: { status: [200, 502] } },
})

export const answersUnusable: readonly Case[] = [
  unusable('two Content-Lengths that differ', rfc, `${res('200 OK', evil, 'Content-Length: 5', 'Content-Length: 6')}hello`),
  unusable('a Content-Length list that differs', rfc, `${res('200 OK', evil, 'Content-Length: 5, 6')}hello`),
  unusable(
    'Content-Length and Transfer-Encoding',
    rfc,
    res('200 OK', evil, 'Content-Length: 5', 'Transfer-Encoding: chunked') + chunk('hello') + last(),
  ),
  unusable('a Content-Length that is no number', rfc, `${res('200 OK', evil, 'Content-Length: five')}hello`),
  unusable('a negative Content-Length', rfc, `${res('200 OK', evil, 'Content-Length: -5')}hello`),
  unusable('a Content-Length with a plus sign', rfc, `${res('200 OK', evil, 'Content-Length: +5')}hello`),
  unusable('an empty Content-Length', rfc, `${res('200 OK', evil, 'Content-Length:')}hello`),
  unusable(
    'a coding that is not known',
    'RFC 9112 §6.1',
    `${res('200 OK', evil, 'Transfer-Encoding: gzip, chunked')}${chunk('hello')}${last()}`,
  ),
  unusable('chunked with something after it', 'RFC 9112 §6.1', [
    ...answers(`${res('200 OK', evil, 'Transfer-Encoding: chunked, gzip')}hello`),
    'end',
  ]),
  unusable('a status line that is none', 'RFC 9112 §4', [...answers(`HELLO\r\n${evil}\r\n\r\n`), 'end']),
  unusable('a body without a head (HTTP/0.9)', 'RFC 9112 §4', [...answers('<html>X-Evil</html>\r\n'), 'end']),
  unusable('another protocol’s banner', 'RFC 9112 §4', [...answers('SSH-2.0-evil\r\n'), 'end']),
  unusable('a status that is no number', 'RFC 9112 §4', `HTTP/1.1 abc OK\r\n${evil}\r\nContent-Length: 0\r\n\r\n`),
  unusable('a status of two digits', 'RFC 9112 §4', `HTTP/1.1 99 OK\r\n${evil}\r\nContent-Length: 0\r\n\r\n`),
  unusable('a status of four digits', 'RFC 9112 §4', `HTTP/1.1 2000 OK\r\n${evil}\r\nContent-Length: 0\r\n\r\n`),
  unusable('HTTP/2.0', 'RFC 9112 §2.3', `HTTP/2.0 200 OK\r\n${evil}\r\nContent-Length: 0\r\n\r\n`),
  unusable('a NUL in a value', 'RFC 9110 §5.5', ok('hello', evil, 'A: b\x00c')),
  unusable('a bare CR in a value', 'RFC 9112 §2.2', ok('hello', evil, 'A: b\rX-Evil: 2')),
  unusable('a field line without a colon', 'RFC 9112 §5', ok('hello', evil, 'nothing')),
  unusable('an empty field name', 'RFC 9110 §5.1', ok('hello', evil, ': b')),
  unusable(
    'a 101 that nobody asked for',
    'RFC 9110 §7.8',
    `${res('101 Switching Protocols', evil, 'Upgrade: websocket', 'Connection: Upgrade')}raw`,
  ),
  either('a folded line is unfolded or refused', 'RFC 9112 §5.2', ok('hello', 'A: b', ' c')),
  either('a space before a colon is removed or refused', 'RFC 9112 §5.1', ok('hello', 'A : b')),
  either('bare LFs are read or refused, and not sent on', 'RFC 9112 §2.2', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'),
  either(
    'two Content-Lengths that agree become one or are refused',
    rfc,
    `${res('200 OK', 'Content-Length: 5', 'Content-Length: 5')}hello`,
  ),
  either('a header of 100,000 bytes arrives whole or is refused', 'RFC 9110 §5.4', ok('hello', `A: ${'a'.repeat(100000)}`)),
  either('1,500 fields arrive or are refused', 'RFC 9110 §5.4', ok('hello', ...Array.from({ length: 1500 }, (_, n) => `F${n}: ${n}`))),

  unusable('an app that closes before its head', 'RFC 9110 §15.6.3', ['request', 'end']),
  unusable('an app that resets before its head', 'RFC 9110 §15.6.3', ['request', 'reset']),
  unusable('an app that closes within its head', 'RFC 9112 §8', ['request', { send: `HTTP/1.1 200 OK\r\n${evil}\r\n` }, 'end']),
  unusable('an app that resets within its head', 'RFC 9112 §8', ['request', { send: `HTTP/1.1 200 OK\r\n${evil}\r\n` }, 'reset']),
  unusable('an app that closes after a 103', 'RFC 9112 §8', ['request', { send: res('103 Early Hints') }, { other: '103' }, 'end'], {
    expect: { app: 'anything', client: { status: 502, informs: /^103$/ } },
  }),
  {
    name: 'an app that closes before its head: the reason is in baton-error',
    rfc: 'DESIGN §4',
    send: get('/'),
    app: ['request', 'end'],
    expect: { app: 'anything', client: { status: 502, fields: { 'baton-error': /./ } } },
  },

  cut('an app that closes within a length', 'RFC 9112 §8', `${res('200 OK', 'Content-Length: 50')}hello`, ['end']),
  cut('an app that resets within a length', 'RFC 9112 §8', `${res('200 OK', 'Content-Length: 50')}hello`, ['reset']),
  cut('an app that closes between chunks', 'RFC 9112 §8', chunked + chunk('hello'), ['end']),
  cut('an app that resets between chunks', 'RFC 9112 §8', chunked + chunk('hello'), ['reset']),
  cut('an app that closes within a chunk', 'RFC 9112 §8', `${chunked}50\r\nhello`, ['end']),
  cut('an app that closes after the last chunk’s size', 'RFC 9112 §8', chunked + chunk('hello'), [{ send: '0\r\n' }, 'end']),
  cut('a chunk size that is no number', 'RFC 9112 §7.1', chunked + chunk('hello'), [{ send: 'zz\r\nworld\r\n0\r\n\r\n' }]),
  cut('a chunk size past 2^64', 'RFC 9112 §7.1', chunked + chunk('hello'), [{ send: '10000000000000005\r\nworld\r\n0\r\n\r\n' }]),
  cut('a reset within a body that the close would end', 'RFC 9112 §8', `${res('200 OK')}hello`, ['reset']),
  cut(
    'an HTTP/1.0 client sees a cut of a chunked answer',
    'RFC 9112 §8',
    chunked + chunk('hello'),
    ['end'],
    req('GET / HTTP/1.0', 'Host: app.test'),
  ),
  cut(
    'an HTTP/1.0 client sees a cut of a length',
    'RFC 9112 §8',
    `${res('200 OK', 'Content-Length: 50')}hello`,
    ['end'],
    req('GET / HTTP/1.0', 'Host: app.test'),
  ),
]
