/** What is refused because it can be read in two ways: tables by RFC section, and a search for a head that passes with two readings. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../../src/errors.ts'
import { type Framing, type FramingLimits, readFraming, responseFault } from '../../src/proxy/framing.ts'

const limits: FramingLimits = { headerBytes: 16_384, headerCount: 100, uriBytes: 8_192, bodyBytes: 0 }
const host = ['Host', 'a.example']

function read(raw: readonly string[], { method = 'GET', target = '/', http = 11 as 10 | 11, given = limits } = {}): Framing | Fault {
  return readFraming(method, target, http, raw, given)
}

function passes(framing: Framing | Fault): Framing {
  assert.ok(!(framing instanceof Fault), framing instanceof Fault ? framing.detail : '')
  return framing
}

function refused(framing: Framing | Fault, code = 'bad-request'): void {
  assert.ok(framing instanceof Fault, JSON.stringify(framing))
  assert.equal(framing.code, code)
  assert.match(framing.detail, /^[\x20-\x7e]+$/)
}

describe('the body', () => {
  test('has the length that is said, is chunked, or is not there', () => {
    assert.equal(passes(read(host)).body, 'none')
    assert.equal(passes(read([...host, 'content-length', '0'])).body, 0)
    assert.equal(passes(read([...host, 'CONTENT-LENGTH', '999999999999999'])).body, 999_999_999_999_999)
    assert.equal(passes(read([...host, 'Transfer-Encoding', 'Chunked'])).body, 'chunked')
  })

  const lengths = ['', '-1', '+1', '1.0', '1e3', '0x10', ' 1', '1 ', '1,1', '1 1', '１', '1000000000000000', 'a', '1;']
  for (const length of lengths)
    test(`with a Content-Length of ${JSON.stringify(length)} is refused (RFC 9110 section 8.6)`, () =>
      refused(read([...host, 'Content-Length', length])))

  const codings = [
    '',
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'chunked;q=1',
    ' chunked',
    'chunked ',
    'identity',
    'xchunked',
    'chunked,',
  ]
  for (const coding of codings)
    test(`with a Transfer-Encoding of ${JSON.stringify(coding)} is refused (RFC 9112 section 6.1)`, () =>
      refused(read([...host, 'Transfer-Encoding', coding])))

  test('with two lengths, two codings, or both is refused (RFC 9112 section 6.3)', () => {
    refused(read([...host, 'Content-Length', '1', 'content-length', '1']))
    refused(read([...host, 'Transfer-Encoding', 'chunked', 'transfer-encoding', 'chunked']))
    refused(read([...host, 'Transfer-Encoding', 'gzip', 'Transfer-Encoding', 'chunked']))
    refused(read([...host, 'Content-Length', '1', 'Transfer-Encoding', 'chunked']))
    refused(read([...host, 'Transfer-Encoding', 'chunked', 'Content-Length', '1']))
  })

  test('has no coding in HTTP/1.0 (RFC 9112 section 6.1)', () => refused(read([...host, 'Transfer-Encoding', 'chunked'], { http: 10 })))
})

describe('the host', () => {
  test('is there once (RFC 9112 section 3.2); HTTP/1.0 may do without', () => {
    refused(read([]))
    refused(read([...host, ...host]))
    refused(read([...host, 'HOST', 'b.example']))
    assert.equal(passes(read([], { http: 10 })).authority, '')
  })

  for (const name of [
    'a.example',
    'A.example:8080',
    'a',
    '127.0.0.1',
    '127.0.0.1:80',
    '[::1]',
    '[::1]:80',
    '[::ffff:1.2.3.4]',
    'a_b',
    '%41.example',
    'a:',
    "x!$&'()*+;=~",
  ])
    test(`may be ${name}`, () => assert.equal(passes(read(['Host', name])).authority, name))

  for (const name of [
    '',
    ' ',
    ':80',
    'a b',
    'a,b',
    'user@a',
    'a/b',
    'a?b',
    'a#b',
    'a\\b',
    '[::1',
    '::1',
    '[]',
    '[x]',
    '[::1]x',
    'a:b',
    'a:80:80',
    'a:123456',
    'ä',
    'a\t',
    'a"',
    '<a>',
  ])
    test(`may not be ${JSON.stringify(name)}`, () => refused(read(['Host', name])))
})

describe('the target', () => {
  test('of a path is passed on as it is', () => {
    for (const target of ['/', '/a?b=c', '//a', '/a/../b', '/%2e', '/?', '/a?b?c', '/*', '/http://b/'])
      assert.equal(passes(read(host, { target })).target, target)
  })

  const absolute: readonly (readonly [string, string])[] = [
    ['http://a.example/x?y', '/x?y'],
    ['HTTP://A.EXAMPLE/x', '/x'],
    ['https://a.example', '/'],
    ['http://a.example?q', '/?q'],
  ]
  for (const [target, path] of absolute)
    test(`${target} becomes ${path}, where Host agrees (RFC 9112 section 3.2.2)`, () => {
      assert.equal(passes(read(host, { target })).target, path)
      refused(read(['Host', 'b.example'], { target }))
      refused(read(['Host', 'a.example:80'], { target }))
    })

  test('in absolute-form is the authority where HTTP/1.0 has no Host', () => {
    assert.equal(passes(read([], { http: 10, target: 'http://b.example:81/x' })).authority, 'b.example:81')
  })

  test('* is for OPTIONS, in absolute-form without a path too (RFC 9112 section 3.2.4)', () => {
    assert.equal(passes(read(host, { method: 'OPTIONS', target: '*' })).target, '*')
    assert.equal(passes(read(host, { method: 'OPTIONS', target: 'http://a.example' })).target, '*')
    assert.equal(passes(read(host, { method: 'OPTIONS', target: 'http://a.example/' })).target, '/')
    for (const method of ['GET', 'POST', 'options']) refused(read(host, { method, target: '*' }))
  })

  for (const target of [
    '',
    'x',
    '*x',
    'a.example:80',
    'ftp://a.example/',
    'http:/a.example/',
    'http://',
    'http:///x',
    'http://u@a.example/',
    '/a#b',
    'http://a.example/#b',
    '/#',
    'http://a.example#',
    '?x',
    'javascript:x',
  ])
    test(`${JSON.stringify(target)} is refused`, () => refused(read(host, { target })))
})

describe('limits, each with its own fault', () => {
  test('at the limit passes, one above does not', () => {
    const target = `/${'x'.repeat(limits.uriBytes - 1)}`
    passes(read(host, { target }))
    refused(read(host, { target: `${target}x` }), 'uri-too-long')
    const fields = (count: number) => [...host, ...Array.from({ length: count - 1 }, () => ['x', 'y']).flat()]
    passes(read(fields(limits.headerCount)))
    refused(read(fields(limits.headerCount + 1)), 'head-too-large')
    const size = limits.headerBytes - ('Host'.length + 'a.example'.length + 4) - ('x'.length + 4)
    passes(read([...host, 'x', 'y'.repeat(size)]))
    refused(read([...host, 'x', 'y'.repeat(size + 1)]), 'head-too-large')
    const given = { ...limits, bodyBytes: 10 }
    passes(read([...host, 'Content-Length', '10'], { given }))
    refused(read([...host, 'Content-Length', '11'], { given }), 'body-too-large')
    passes(read([...host, 'Transfer-Encoding', 'chunked'], { given }))
  })
})

describe('Connection', () => {
  const of = (...values: readonly string[]) => {
    const { listed, upgrade } = passes(read([...host, ...values.flatMap((value) => ['Connection', value]), 'Upgrade', 'WebSocket']))
    return [listed === null ? null : [...listed], upgrade]
  }

  test('lists what is of this hop, in lower case, over all its fields', () => {
    assert.deepEqual(of('X-A, x-B ,,', 'close', 'x-c'), [['x-a', 'x-b', 'x-c'], null])
    for (const plain of ['close', 'keep-alive', 'Close, Keep-Alive', '', ' , ']) assert.deepEqual(of(plain), [null, null], plain)
  })

  test('is bounded, over all its fields: every field of the request is looked for in it', () => {
    const longest = 'x'.repeat(1_024)
    assert.deepEqual(of(longest), [[longest], null])
    refused(read([...host, 'Connection', `${longest}x`]), 'head-too-large')
    refused(read([...host, 'Connection', longest, 'Connection', 'close']), 'head-too-large')
  })

  test('makes Upgrade count (RFC 9110 section 7.8)', () => {
    assert.deepEqual(of('Upgrade'), [null, 'websocket'])
    assert.deepEqual(of('keep-alive, upgrade'), [null, 'websocket'])
    assert.deepEqual(of('keep-alive'), [null, null])
    assert.deepEqual(passes(read([...host, 'Connection', 'upgrade'])).upgrade, null)
  })
})

describe('a response', () => {
  test('with a coding other than chunked has no end that all agree on', () => {
    for (const coding of ['gzip', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', ''])
      assert.equal(responseFault(['Transfer-Encoding', coding])?.code, 'upstream-protocol', coding)
    assert.equal(responseFault(['Transfer-Encoding', 'gzip', 'Transfer-Encoding', 'chunked'])?.code, 'upstream-protocol')
    for (const raw of [['Transfer-Encoding', 'Chunked'], ['Content-Length', '3'], []]) assert.equal(responseFault(raw), null)
  })

  test('hides no such coding behind fields that a response has no use for', () => {
    assert.equal(responseFault(['Host', 'a', 'Host', 'b', 'Transfer-Encoding', 'gzip, chunked'])?.code, 'upstream-protocol')
  })
})

/** The lines of a head as another reader sees them, by rules of its own: every reading that some server is known to have. */
function readings(http: 10 | 11, target: string, raw: readonly string[]): { lengths: Set<string>; hosts: Set<string> } {
  const values = (name: string) => raw.flatMap((each, at) => (at % 2 === 0 && each.toLowerCase() === name ? [raw[at + 1] ?? ''] : []))
  const lengths = new Set<string>()
  const codings = values('transfer-encoding').flatMap((value) => value.split(',').map((each) => each.trim().toLowerCase()))
  for (const length of values('content-length')) for (const each of length.split(',')) lengths.add(String(Number.parseInt(each, 10)))
  if (codings.includes('chunked')) lengths.add('chunked')
  for (const other of codings.filter((each) => each !== 'chunked')) lengths.add(`coding ${other}`)
  if (codings.length > 1) lengths.add('several codings')
  if (codings.length > 0 && http === 10) lengths.add('ignored')
  if (lengths.size === 0) lengths.add('none')
  const hosts = new Set(values('host').map((value) => value.toLowerCase()))
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1]
  if (absolute !== undefined) hosts.add(absolute.toLowerCase())
  if (values('host').length > 1) hosts.add('a second Host')
  return { lengths, hosts }
}

test('nothing throws, and what passes has exactly one reading', () => {
  const name = fc.constantFrom(
    'Host',
    'host',
    'Content-Length',
    'content-length',
    'Transfer-Encoding',
    'TRANSFER-ENCODING',
    'Connection',
    'Upgrade',
    'X-A',
    '',
  )
  const value = fc.oneof(
    fc.constantFrom(
      'a.example',
      'b.example',
      '5',
      '05',
      '6',
      '5,5',
      '+5',
      'chunked',
      'Chunked',
      'gzip, chunked',
      'identity',
      'close',
      'upgrade',
      'websocket',
      '',
    ),
    fc.string({ unit: 'binary' }),
  )
  const target = fc.oneof(
    fc.constantFrom('/', '*', 'http://a.example/', 'http://b.example', 'http://a.example@b.example/', '/#'),
    fc.string({ unit: 'binary' }),
  )
  const raw = fc.array(fc.tuple(name, value), { maxLength: 5 }).map((pairs) => pairs.flat())
  const given = fc.record({ method: fc.constantFrom('GET', 'POST', 'OPTIONS'), target, http: fc.constantFrom<10 | 11>(10, 11) })
  let passed = 0
  fc.assert(
    fc.property(given, raw, (line, fields) => {
      const framing = read(fields, line)
      if (framing instanceof Fault) return
      passed += 1
      const { lengths, hosts } = readings(line.http, line.target, fields)
      assert.equal(lengths.size, 1, `lengths ${[...lengths]}`)
      assert.ok(hosts.size <= 1, `hosts ${[...hosts]}`)
      assert.equal(String(framing.body), [...lengths][0])
      assert.equal(framing.authority.toLowerCase(), [...hosts][0] ?? '')
      assert.match(framing.target, /^(\/[^#]*|\*)$/s)
    }),
    { numRuns: 20_000, seed: 3 },
  )
  assert.ok(passed > 500, `only ${passed} heads passed: the search looks at too little`)
})
