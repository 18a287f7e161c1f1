/** How long a body is, and everything that makes it tell two lengths (RFC 9112 §6). */
import type { Case } from '../case.ts'
import { chunk, forwarded, get, last, post, postChunked, refused, refusedBody, req } from '../wire.ts'

const p = (...lines: string[]): string => req('POST /body HTTP/1.1', 'Host: app.test', ...lines)

export const framingLength: readonly Case[] = [
  forwarded('a body with Content-Length arrives byte for byte', 'RFC 9112 §6.2', post('/body', 'a\x00b\xff\r\n\r\n'), {
    line: 'POST /body HTTP/1.1',
    body: 'a\x00b\xff\r\n\r\n',
    fields: { 'content-length': '8' },
    framing: 'length',
  }),
  forwarded(
    'a chunked body arrives with the same bytes',
    'RFC 9112 §7.1',
    postChunked('/body') + chunk('hello ') + chunk('world') + last(),
    {
      body: 'hello world',
      framing: ['chunked', 'length'],
    },
  ),
  forwarded('Content-Length: 0 is kept', 'RFC 9110 §8.6', post('/body', ''), { fields: { 'content-length': '0' }, body: '' }),
  forwarded('a POST with neither length nor coding has no body', 'RFC 9112 §6.3', p(), { line: 'POST /body HTTP/1.1', body: '' }),
  forwarded('a GET may have a body', 'RFC 9110 §9.3.1', `${get('/body', 'Content-Length: 3')}abc`, {
    line: 'GET /body HTTP/1.1',
    body: 'abc',
  }),
  forwarded(
    'a DELETE may have a chunked body',
    'RFC 9112 §6.3',
    req('DELETE /body HTTP/1.1', 'Host: app.test', 'Transfer-Encoding: chunked') + chunk('abc') + last(),
    {
      line: 'DELETE /body HTTP/1.1',
      body: 'abc',
    },
  ),
  forwarded('a length with leading zeros is the same length', 'RFC 9110 §8.6', `${p('Content-Length: 003')}abc`, { body: 'abc' }),
  forwarded(
    'chunk sizes are hexadecimal in either case',
    'RFC 9112 §7.1',
    `${postChunked('/body')}A\r\n0123456789\r\na\r\n0123456789\r\n${last()}`,
    {
      body: '01234567890123456789',
    },
  ),
  forwarded('chunk sizes may have leading zeros', 'RFC 9112 §7.1', `${postChunked('/body')}0003\r\nabc\r\n000\r\n\r\n`, { body: 'abc' }),
  forwarded(
    'chunk extensions are dropped, the data is not',
    'RFC 9112 §7.1.1',
    `${postChunked('/body')}3;a=b;c="d e"\r\nabc\r\n0;last\r\n\r\n`,
    { body: 'abc' },
  ),
  forwarded('the coding name is read in any case', 'RFC 9112 §7', p('Transfer-Encoding: Chunked') + chunk('abc') + last(), { body: 'abc' }),

  refused('Content-Length and Transfer-Encoding together', 'DESIGN §5', p('Content-Length: 4', 'Transfer-Encoding: chunked') + last()),
  refused('Transfer-Encoding and then Content-Length', 'DESIGN §5', p('Transfer-Encoding: chunked', 'Content-Length: 5') + last()),
  refused('two Content-Length lines that differ', 'RFC 9112 §6.3', `${p('Content-Length: 3', 'Content-Length: 4')}abc`),
  refused('two Content-Length lines that agree', 'DESIGN §5', `${p('Content-Length: 3', 'Content-Length: 3')}abc`),
  refused('a Content-Length list that differs', 'RFC 9112 §6.3', `${p('Content-Length: 3, 4')}abc`),
  refused('a Content-Length list that agrees', 'DESIGN §5', `${p('Content-Length: 3, 3')}abc`),
  refused('Content-Length with a plus sign', 'RFC 9110 §8.6', `${p('Content-Length: +3')}abc`),
  refused('a negative Content-Length', 'RFC 9110 §8.6', `${p('Content-Length: -3')}abc`),
  refused('a hexadecimal Content-Length', 'RFC 9110 §8.6', `${p('Content-Length: 0x3')}abc`),
  refused('a Content-Length with a fraction', 'RFC 9110 §8.6', `${p('Content-Length: 3.0')}abc`),
  refused('a Content-Length with a space inside', 'RFC 9110 §8.6', `${p('Content-Length: 1 3')}abc`),
  refused('an empty Content-Length', 'RFC 9110 §8.6', `${p('Content-Length:')}abc`),
  refused('a Content-Length past 2^64', 'RFC 9110 §8.6', `${p('Content-Length: 18446744073709551619')}abc`, [400, 413]),
  refused('Content-Length and a space before the colon', 'RFC 9112 §5.1', `${p('Content-Length : 3')}abc`),

  refused('Transfer-Encoding: gzip, chunked', 'DESIGN §5', p('Transfer-Encoding: gzip, chunked') + last(), [400, 501]),
  refused('Transfer-Encoding: chunked, gzip', 'RFC 9112 §6.3', p('Transfer-Encoding: chunked, gzip') + last(), [400, 501]),
  refused('Transfer-Encoding: identity', 'RFC 9112 §6.1', p('Transfer-Encoding: identity'), [400, 501]),
  refused('Transfer-Encoding: chunked, chunked', 'RFC 9112 §6.1', p('Transfer-Encoding: chunked, chunked') + last(), [400, 501]),
  refused('chunked on two lines', 'RFC 9112 §6.1', p('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') + last(), [400, 501]),
  refused('Transfer-Encoding: xchunked', 'RFC 9112 §6.1', p('Transfer-Encoding: xchunked') + last(), [400, 501]),
  refused('an empty Transfer-Encoding', 'RFC 9112 §6.1', p('Transfer-Encoding:') + last(), [400, 501]),
  refused('Transfer-Encoding with a quoted coding', 'RFC 9112 §6.1', p('Transfer-Encoding: "chunked"') + last(), [400, 501]),
  refused('Transfer-Encoding with a vertical tab', 'RFC 9110 §5.5', p('Transfer-Encoding: \x0bchunked') + last(), [400, 501]),
  refused('Transfer-Encoding: chunked with a parameter', 'RFC 9112 §7', p('Transfer-Encoding: chunked;q=1') + last(), [400, 501]),
  refused('Transfer-Encoding and a space before the colon', 'RFC 9112 §5.1', p('Transfer-Encoding : chunked') + last()),
  refused(
    'Transfer-Encoding in an HTTP/1.0 request',
    'DESIGN §5',
    req('POST /body HTTP/1.0', 'Host: app.test', 'Transfer-Encoding: chunked') + last(),
  ),
  refused(
    'Transfer-Encoding in a kept HTTP/1.0 request',
    'DESIGN §5',
    req('POST /body HTTP/1.0', 'Host: app.test', 'Connection: keep-alive', 'Transfer-Encoding: chunked') + last(),
  ),

  refusedBody('a chunk size that is no number', 'RFC 9112 §7.1', `${postChunked('/body')}zz\r\nabc\r\n${last()}`),
  refusedBody('a chunk size with 0x', 'RFC 9112 §7.1', `${postChunked('/body')}0x3\r\nabc\r\n${last()}`),
  refusedBody('a chunk size with a sign', 'RFC 9112 §7.1', `${postChunked('/body')}+3\r\nabc\r\n${last()}`),
  refusedBody('an empty chunk size', 'RFC 9112 §7.1', `${postChunked('/body')}\r\nabc\r\n${last()}`),
  refusedBody('a space before a chunk size', 'RFC 9112 §7.1', `${postChunked('/body')} 3\r\nabc\r\n${last()}`),
  refusedBody('a chunk size past 2^64', 'RFC 9112 §7.1', `${postChunked('/body')}10000000000000003\r\nabc\r\n${last()}`, [400, 413]),
  refusedBody('a chunk without CRLF after its data', 'RFC 9112 §7.1', `${postChunked('/body')}3\r\nabcd\r\n${last()}`),
  refusedBody('a chunk size line that ends in a bare LF', 'RFC 9112 §7.1', `${postChunked('/body')}3\nabc\r\n${last()}`),
  refusedBody('chunk data that ends in a bare LF', 'RFC 9112 §7.1', `${postChunked('/body')}3\r\nabc\n${last()}`),
  refusedBody('a chunk extension with a bare LF', 'RFC 9112 §7.1.1', `${postChunked('/body')}3;a\nb\r\nabc\r\n${last()}`),
  refusedBody('a chunk extension with a NUL', 'RFC 9112 §7.1.1', `${postChunked('/body')}3;a\x00b\r\nabc\r\n${last()}`),
  refusedBody(
    'a chunk extension of 64 KiB',
    'RFC 9112 §7.1.1',
    `${postChunked('/body')}3;${'a'.repeat(65536)}\r\nabc\r\n${last()}`,
    [400, 413, 431],
  ),
  refusedBody('a trailer line without a colon', 'RFC 9112 §7.1.2', `${postChunked('/body') + chunk('abc')}0\r\nnothing\r\n\r\n`),
  refusedBody('a trailer name with a space before the colon', 'RFC 9112 §5.1', `${postChunked('/body') + chunk('abc')}0\r\nA : b\r\n\r\n`),
]
