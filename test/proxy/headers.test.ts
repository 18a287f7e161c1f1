/** What becomes of the fields of a message on its way through. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { field, fieldOf } from '../../src/proxy/field.ts'
import { requestFields, responseFields, trailerFields, upgradeFields } from '../../src/proxy/headers.ts'
import type { Head } from '../../src/proxy/inbound/inbound.ts'
import { headOf } from './head.ts'

const trusted = { address: '10.0.0.1', trusted: true }

/** Pairs of one name, in order. */
function valuesOf(raw: readonly string[], name: string): string[] {
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name)
}

function request(raw: readonly string[], given: Partial<Head> = {}, set: readonly string[] = []): string[] {
  return requestFields(headOf({ raw: ['Host', 'example.com', ...raw], ...given }), 'v2', set)
}

/** What is neither ours nor of the forwarding kind. */
function own(raw: readonly string[]): string[] {
  const ours = ['host', 'via', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'baton-version', 'x-served-by']
  return raw.filter((_, at) => !ours.includes((raw[at - (at % 2)] ?? '').toLowerCase()))
}

const plainName = fc.constantFrom('X-A', 'x-a', 'Accept', 'cookie', 'Cookie', 'Authorization', 'Content-Type', 'X-Real-IP', 'Trailer')
const plainFields = fc.array(fc.tuple(plainName, fc.string()), { maxLength: 12 }).map((pairs) => pairs.flat())

test('ordinary fields keep their order, case and duplicates, both ways, and in trailers', () => {
  fc.assert(
    fc.property(plainFields, (raw) => {
      assert.deepEqual(own(request(raw)), raw)
      assert.deepEqual(own(responseFields(raw, 200, 'v2')), raw)
      assert.deepEqual(trailerFields(raw), raw)
    }),
    { seed: 3 },
  )
})

test('ordinary fields keep their order among fields of the hop, which go', () => {
  const hop = fc.constantFrom(
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Transfer-Encoding',
    'Upgrade',
    'TE',
    'baton-error',
    'HTTP2-Settings',
    'Expect',
  )
  const either = fc.oneof(fc.tuple(plainName, fc.string()), fc.tuple(hop, fc.constantFrom('close', 'keep-alive', 'websocket')))
  fc.assert(
    fc.property(fc.array(either, { maxLength: 12 }), (pairs) => {
      const kept = pairs.filter(([name]) => fieldOf(name) === field.plain).flat()
      assert.deepEqual(own(request(pairs.flat())), kept)
    }),
    { seed: 3 },
  )
})

describe('a request', () => {
  test('is given Host first, once, from its authority', () => {
    const fields = request(['X-A', '1'], { authority: 'example.com:81' })
    assert.deepEqual(fields.slice(0, 2), ['host', 'example.com:81'])
    assert.deepEqual(valuesOf(fields, 'host'), ['example.com:81'])
  })

  test('loses what Connection lists', () => {
    assert.deepEqual(own(request(['X-A', '1', 'X-B', '2'], { listed: new Set(['x-a']) })), ['X-B', '2'])
  })

  test('does not lose by Connection what says whom it is for, who sent it or what it is', () => {
    const kept = [
      'Authorization',
      'Cookie',
      'Content-Length',
      'Content-Type',
      'Content-Encoding',
      'Origin',
      'Referer',
      'X-Request-Id',
      'traceparent',
      'X-Real-IP',
    ]
    const raw = kept.flatMap((name) => [name, 'x'])
    const listed = [...kept.map((name) => name.toLowerCase()), 'host', 'via', 'forwarded', 'x-forwarded-for', 'baton-version']
    const fields = request(raw, { listed: new Set(listed) })
    assert.deepEqual(own(fields), raw)
    for (const name of ['host', 'via', 'forwarded', 'x-forwarded-for', 'baton-version'])
      assert.equal(valuesOf(fields, name).length, 1, name)
  })

  test('is told by baton-version what was chosen, whatever the client sent under a baton- name', () => {
    const fields = request(['Baton-Version', 'v1', 'BATON-ERROR', 'x', 'baton-x', 'y'])
    assert.deepEqual(
      fields.filter((_, at) => /^baton-/i.test(fields[at - (at % 2)] ?? '')),
      ['baton-version', 'v2'],
    )
  })

  test('has what the route sets in place of the client’s, in any case', () => {
    const fields = request(['X-A', '1', 'x-a', '2', 'X-B', '3'], {}, ['x-A', 'set'])
    assert.deepEqual(own(fields), ['X-B', '3', 'x-A', 'set'])
  })

  test('loses no field that the route sets because Connection lists it', () => {
    assert.deepEqual(valuesOf(request(['x-a', '1'], { listed: new Set(['x-a']) }, ['x-a', 'set']), 'x-a'), ['set'])
  })

  test('goes on with one hop less where Max-Forwards counts, and with its value elsewhere', () => {
    const hops = (method: string, value: string) => valuesOf(request(['Max-Forwards', value], { method }), 'max-forwards')
    assert.deepEqual(hops('OPTIONS', '3'), ['2'])
    assert.deepEqual(hops('TRACE', '1'), ['0'])
    assert.deepEqual(hops('GET', '3'), ['3'])
    assert.deepEqual(hops('OPTIONS', 'x'), ['x'])
  })

  test('names the protocol that it came by in Via, after those before it', () => {
    assert.deepEqual(valuesOf(request([]), 'via'), ['1.1 baton'])
    assert.deepEqual(valuesOf(request([], { http: 10 }), 'via'), ['1.0 baton'])
    assert.deepEqual(valuesOf(request(['Via', '1.1 a', 'via', '1.0 b']), 'via'), ['1.1 a, 1.0 b, 1.1 baton'])
  })
})

describe('whence a request came', () => {
  const forwarding = ['X-Forwarded-For', '1.1.1.1', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'www', 'Forwarded', 'for=1.1.1.1']
  const said = (fields: readonly string[]) =>
    ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'].map((name) => valuesOf(fields, name))

  test('is what baton sees, whatever an untrusted peer says', () => {
    assert.deepEqual(said(request(forwarding)), [['192.0.2.7'], ['http'], ['example.com'], ['for=192.0.2.7;host="example.com";proto=http']])
    assert.deepEqual(said(request(forwarding)), said(request([])))
  })

  test('is what a trusted hop says, with that hop appended', () => {
    assert.deepEqual(said(request(forwarding, { peer: trusted })), [
      ['1.1.1.1, 10.0.0.1'],
      ['https'],
      ['www'],
      ['for=1.1.1.1, for=10.0.0.1;host="example.com";proto=http'],
    ])
  })

  test('is one list where a trusted hop said it in several fields', () => {
    const raw = ['X-Forwarded-For', '1.1.1.1', 'x-forwarded-for', '2.2.2.2', 'Forwarded', 'for=a', 'forwarded', 'for=b']
    const [addresses, , , forwarded] = said(request(raw, { peer: trusted }))
    assert.deepEqual([addresses, forwarded], [['1.1.1.1, 2.2.2.2, 10.0.0.1'], ['for=a, for=b, for=10.0.0.1;host="example.com";proto=http']])
  })

  test('is in brackets and quotes for IPv6 (RFC 7239 section 6), and unknown for a Unix socket', () => {
    const [v6, , , forwarded] = said(request([], { peer: { address: '2001:db8::1', trusted: false } }))
    assert.deepEqual([v6, forwarded], [['2001:db8::1'], ['for="[2001:db8::1]";host="example.com";proto=http']])
    assert.deepEqual(said(request([], { peer: { address: '', trusted: false } }))[0], ['unknown'])
  })

  test('says no host where there is none', () => {
    const fields = request([], { authority: '', http: 10 })
    assert.deepEqual(valuesOf(fields, 'forwarded'), ['for=192.0.2.7;proto=http'])
  })
})

describe('a response', () => {
  test('loses the fields of its hop and what Connection lists, and names baton in Via', () => {
    const raw = [
      'Connection',
      'close, X-A',
      'X-A',
      '1',
      'Keep-Alive',
      'timeout=5',
      'Transfer-Encoding',
      'chunked',
      'X-B',
      '2',
      'Via',
      '1.1 app',
      'baton-error',
      'x',
    ]
    assert.deepEqual(responseFields(raw, 200, null), ['X-B', '2', 'via', '1.1 app, 1.1 baton'])
  })

  test('loses what Connection lists wherever that stands, over all its fields and in any case', () => {
    const raw = ['X-A', '1', 'X-B', '2', 'connection', 'keep-alive', 'x-C', '3', 'Connection', 'x-a ,, X-c', 'X-B', '4', 'x-a', '5']
    assert.deepEqual(responseFields(raw, 200, 'v2'), ['X-B', '2', 'X-B', '4', 'via', '1.1 baton', 'x-served-by', 'v2'])
  })

  test('keeps what Connection may not take away', () => {
    const raw = ['Connection', 'set-cookie, content-length, location', 'Set-Cookie', 'a=1', 'Content-Length', '3', 'Location', '/']
    assert.deepEqual(own(responseFields(raw, 200, null)), raw.slice(2))
  })

  test('says which version served it, unless that is kept private', () => {
    assert.deepEqual(valuesOf(responseFields([], 200, 'v2'), 'x-served-by'), ['v2'])
    assert.deepEqual(valuesOf(responseFields([], 200, null), 'x-served-by'), [])
  })

  test('has no Content-Length in 1xx and 204, and has it in 304 and elsewhere (RFC 9110 section 8.6)', () => {
    for (const status of [100, 103, 204])
      assert.deepEqual(valuesOf(responseFields(['Content-Length', '3'], status, null), 'content-length'), [], String(status))
    for (const status of [200, 205, 304, 404])
      assert.deepEqual(valuesOf(responseFields(['Content-Length', '3'], status, null), 'content-length'), ['3'], String(status))
  })

  test('names in 426 the protocol that it asks for (RFC 9110 section 15.5.22)', () => {
    assert.deepEqual(own(responseFields(['Upgrade', 'h3', 'Connection', 'upgrade'], 426, null)), ['Upgrade', 'h3'])
    assert.deepEqual(own(responseFields(['Upgrade', 'h3'], 200, null)), [])
  })

  test('of an upgrade has Connection and Upgrade of this hop, once', () => {
    const fields = upgradeFields(['Upgrade', 'WebSocket', 'Connection', 'upgrade', 'Sec-WebSocket-Accept', 'x'], 'websocket', 'v2')
    assert.deepEqual(valuesOf(fields, 'upgrade'), ['websocket'])
    assert.deepEqual(valuesOf(fields, 'connection'), ['Upgrade'])
    assert.deepEqual(valuesOf(fields, 'sec-websocket-accept'), ['x'])
  })
})

test('trailers may not say where a message ends, whom it is for or by whom it came (RFC 9110 section 6.5.1)', () => {
  const refused = [
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    'Connection',
    'Upgrade',
    'TE',
    'Via',
    'X-Forwarded-For',
    'Forwarded',
    'baton-version',
    'Expect',
    'Max-Forwards',
  ]
  assert.deepEqual(trailerFields([...refused.flatMap((name) => [name, 'x']), 'X-Sum', '42']), ['X-Sum', '42'])
})
