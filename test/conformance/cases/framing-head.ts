/** What a request head may look like: line ends, request line, field lines, sizes (RFC 9112 §2–5). */
import type { Case } from '../case.ts'
import { forwarded, get, refused, req } from '../wire.ts'

const raw = (text: string): string => text.replaceAll('\n', '\r\n')
const host = 'Host: app.test'
const versions = (line: string): string => req(line, host)
const fields = (count: number): string[] => Array.from({ length: count }, (_, n) => `F${n}: ${n}`)

export const framingHead: readonly Case[] = [
  forwarded('an empty line before the request line is skipped', 'RFC 9112 §2.2', `\r\n${get('/x')}`, { line: 'GET /x HTTP/1.1' }),
  forwarded('whitespace around a value is no part of it', 'RFC 9112 §5', get('/x', 'A: \t b c \t'), { fields: { a: 'b c' } }),
  forwarded('an empty value is kept', 'RFC 9110 §5.5', get('/x', 'A:'), { fields: { a: '' }, line: 'GET /x HTTP/1.1' }),
  forwarded('bytes above 127 in a value arrive as they are', 'RFC 9110 §5.5', get('/x', 'A: caf\xc3\xa9 \xff'), {
    has: ['A: caf\xc3\xa9 \xff'],
  }),
  forwarded('every token character is good in a name', 'RFC 9110 §5.6.2', get('/x', "!#$%&'*+-.^_`|~0aZ: b"), {
    has: ["!#$%&'*+-.^_`|~0aZ: b"],
  }),
  forwarded('90 fields arrive, every one', 'DESIGN §5', get('/x', ...fields(90)), { has: fields(90) }),
  forwarded('a value of 8,000 bytes arrives whole', 'RFC 9110 §5.4', get('/x', `A: ${'a'.repeat(8000)}`), {
    has: [`A: ${'a'.repeat(8000)}`],
  }),
  forwarded('an unknown method is forwarded', 'RFC 9110 §9.1', versions('BREW /pot HTTP/1.1'), { line: 'BREW /pot HTTP/1.1' }),
  forwarded('methods are told apart by case', 'RFC 9110 §9.1', versions('get /pot HTTP/1.1'), { line: 'get /pot HTTP/1.1' }),
  forwarded('PROPFIND is forwarded', 'RFC 9110 §9.1', versions('PROPFIND /pot HTTP/1.1'), { line: 'PROPFIND /pot HTTP/1.1' }),
  forwarded('PATCH is forwarded', 'RFC 9110 §9.1', versions('PATCH /pot HTTP/1.1'), { line: 'PATCH /pot HTTP/1.1' }),
  {
    name: 'HTTP/1.2 is treated as 1.1 or refused, never sent on as 1.2',
    rfc: 'RFC 9110 §2.5',
    send: versions('GET /x HTTP/1.2'),
    expect: { app: 'anything', client: { status: [200, 400, 505] } },
  },

  refused('every line ended by a bare LF', 'DESIGN §5', `GET / HTTP/1.1\n${host}\nX-Lane: $LANE\n\n`),
  refused('the request line ended by a bare LF', 'DESIGN §5', `GET / HTTP/1.1\n${raw(`${host}\nX-Lane: $LANE\n\n`)}`),
  refused('one field line ended by a bare LF', 'DESIGN §5', `${raw(`GET / HTTP/1.1\n${host}`)}\nA: b\r\nX-Lane: $LANE\r\n\r\n`),
  refused('the head ended by a bare LF', 'DESIGN §5', `${raw(`GET / HTTP/1.1\n${host}\nX-Lane: $LANE\n`)}\n`),
  refused('a bare CR in a value', 'RFC 9112 §2.2', get('/', 'A: b\rc')),
  refused('a bare CR that hides a field', 'RFC 9112 §2.2', get('/', 'A: b\rContent-Length: 5')),
  refused('a bare CR in the request line', 'RFC 9112 §2.2', versions('GET /\rX HTTP/1.1')),
  refused('a NUL in a value', 'RFC 9110 §5.5', get('/', 'A: b\x00c')),
  refused('a NUL in a name', 'RFC 9110 §5.1', get('/', 'A\x00: b')),
  refused('a NUL in the target', 'RFC 9112 §3.2', versions('GET /a\x00b HTTP/1.1')),
  refused('a control character in a value', 'RFC 9110 §5.5', get('/', 'A: b\x01c')),
  refused('a DEL in a value', 'RFC 9110 §5.5', get('/', 'A: b\x7fc')),
  refused('a folded line', 'RFC 9112 §5.2', get('/', 'A: b', ' c')),
  refused('a folded line that begins with a tab', 'RFC 9112 §5.2', get('/', 'A: b', '\tc')),
  refused('a folded line that hides a length', 'RFC 9112 §5.2', get('/', 'A: b', ' Content-Length: 5')),
  refused('whitespace before the first field', 'RFC 9112 §2.2', req('GET / HTTP/1.1', ' A: b', host)),
  refused('a space before a colon', 'RFC 9112 §5.1', get('/', 'A : b')),
  refused('a tab before a colon', 'RFC 9112 §5.1', get('/', 'A\t: b')),
  refused('a space in a name', 'RFC 9110 §5.1', get('/', 'A B: c')),
  refused('a field line without a colon', 'RFC 9112 §5', get('/', 'nothing')),
  refused('an empty field name', 'RFC 9110 §5.1', get('/', ': b')),
  refused('a parenthesis in a name', 'RFC 9110 §5.6.2', get('/', 'A(b): c')),
  refused('a byte above 127 in a name', 'RFC 9110 §5.6.2', get('/', 'Caf\xe9: b')),
  refused('a slash in a name', 'RFC 9110 §5.6.2', get('/', 'a/b: c')),

  refused('two spaces before the target', 'DESIGN §5', versions('GET  / HTTP/1.1')),
  refused('two spaces before the version', 'DESIGN §5', versions('GET /  HTTP/1.1')),
  refused('a tab in the request line', 'DESIGN §5', versions('GET\t/ HTTP/1.1')),
  refused('a space before the method', 'RFC 9112 §3', versions(' GET / HTTP/1.1')),
  refused('a space after the version', 'DESIGN §5', versions('GET / HTTP/1.1 ')),
  refused('a space in the target', 'RFC 9112 §3.2', versions('GET /a b HTTP/1.1')),
  refused('a method that is no token', 'RFC 9110 §9.1', versions('G(T / HTTP/1.1')),
  refused('no method', 'RFC 9112 §3', versions('/ HTTP/1.1')),
  refused('no version (HTTP/0.9)', 'RFC 9112 §3', 'GET /smuggle\r\n'),
  refused('no version before fields', 'RFC 9112 §3', versions('GET /')),
  refused('HTTP/0.9', 'RFC 9112 §2.3', versions('GET / HTTP/0.9'), [400, 505]),
  refused('HTTP/2.0', 'RFC 9110 §15.6.6', versions('GET / HTTP/2.0'), [400, 505]),
  refused('HTTP/3.0', 'RFC 9110 §15.6.6', versions('GET / HTTP/3.0'), [400, 505]),
  refused('the HTTP/2 preface', 'RFC 9113 §3.4', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]),
  refused('a version in lower case', 'RFC 9112 §2.3', versions('GET / http/1.1'), [400, 505]),
  refused('a version with two digits', 'RFC 9112 §2.3', versions('GET / HTTP/1.10'), [400, 505]),
  refused('a version with a leading zero', 'RFC 9112 §2.3', versions('GET / HTTP/01.1'), [400, 505]),
  refused('a version without a minor', 'RFC 9112 §2.3', versions('GET / HTTP/1'), [400, 505]),
  refused('another protocol name', 'RFC 9112 §2.3', versions('GET / HTTPS/1.1'), [400, 505]),
  refused('no HTTP at all', 'RFC 9112 §2.2', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'),

  refused('a target of 20,000 bytes', 'RFC 9110 §15.5.15', get(`/${'a'.repeat(20000)}`), [414]),
  refused('a header of 100,000 bytes', 'RFC 6585 §5', get('/', ...fields(10).map((line) => `${line}${'a'.repeat(10000)}`)), [431]),
  refused('one field of 40,000 bytes', 'RFC 6585 §5', get('/', `A: ${'a'.repeat(40000)}`), [431]),
  refused('1,500 fields', 'RFC 6585 §5', get('/', ...fields(1500)), [431]),
]
