/** What people may write for short, and what it means. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RouteMatch } from '../../src/routing/route.ts'
import { minimal, parse } from './fixture.ts'

function dynamic(lines: string) {
  return parse(`${minimal}${lines}`).dynamic
}

function match(text: string): readonly RouteMatch[] {
  return dynamic(`routes: [{ name: r, to: v1, match: ${text} }]`).routes[0]?.match ?? []
}

describe('addresses to bind', () => {
  const cases: readonly [string, unknown][] = [
    [':8081', { is: 'tcp', host: '0.0.0.0', port: 8081 }],
    ['*:8081', { is: 'tcp', host: '0.0.0.0', port: 8081 }],
    ['127.0.0.1:0', { is: 'tcp', host: '127.0.0.1', port: 0 }],
    ['[::]:8081', { is: 'tcp', host: '::', port: 8081 }],
    ['unix:/run/b.sock', { is: 'unix', path: '/run/b.sock' }],
  ]
  for (const [text, address] of cases) {
    test(text, () => {
      const { bootstrap } = parse(`bootstrap: { listeners: { public: { address: "${text}" } } }\n${minimal}`)
      assert.deepEqual(bootstrap.listeners.public.address, address)
    })
  }
})

describe('upstream addresses', () => {
  const cases: readonly [string, unknown][] = [
    ['url: http://127.0.0.1:3000', { is: 'tcp', host: '127.0.0.1', port: 3000 }],
    ['url: "http://[::1]:3000/"', { is: 'tcp', host: '::1', port: 3000 }],
    ['url: http://LOCALHOST:3000', { is: 'tcp', host: 'localhost', port: 3000 }],
    ['url: http://localhost', { is: 'tcp', host: 'localhost', port: 80 }],
    ['socket: /run/app.sock', { is: 'unix', path: '/run/app.sock' }],
  ]
  for (const [text, endpoint] of cases) {
    test(text, () => assert.deepEqual(parse(`versions: { v1: { ${text} } }\nstable: v1`).dynamic.versions.v1?.endpoint, endpoint))
  }
})

describe('matches', () => {
  test('a text is exact; header names and hosts are lower case', () => {
    assert.deepEqual(match('{ headers: { X-Canary: "true" }, host: Example.COM, query: { Q: A }, cookies: { C: B }, path: /x }'), [
      {
        headers: { 'x-canary': { exact: 'true' } },
        host: { exact: 'example.com' },
        query: { Q: { exact: 'A' } },
        cookies: { C: { exact: 'B' } },
        path: { exact: '/x' },
      },
    ])
  })

  test('one may stand for a list', () => {
    assert.deepEqual(match('{ method: GET, client: 10.0.0.0/8 }'), [{ methods: ['GET'], client: ['10.0.0.0/8'] }])
    assert.deepEqual(match('[{ method: [GET, POST] }, { path: { prefix: /a } }]'), [
      { methods: ['GET', 'POST'] },
      { path: { prefix: '/a' } },
    ])
  })

  test('every kind, inverted or not', () => {
    for (const [text, expected] of [
      ['{ exact: a, invert: true }', { exact: 'a', invert: true }],
      ['{ prefix: a }', { prefix: 'a' }],
      ['{ suffix: a, invert: false }', { suffix: 'a', invert: false }],
      ['{ contains: a }', { contains: 'a' }],
      ['{ regex: "a+" }', { regex: 'a+' }],
      ['{ oneOf: [a, b] }', { oneOf: ['a', 'b'] }],
      ['{ present: true, invert: true }', { present: true, invert: true }],
    ] as const) {
      assert.deepEqual(match(`{ headers: { x: ${text} } }`)[0]?.headers?.x, expected)
    }
    assert.deepEqual(match('{ path: { regex: "/v[0-9]" } }')[0]?.path, { regex: '/v[0-9]' })
  })

  test('no match is every request', () => assert.deepEqual(dynamic('routes: [{ name: r, to: v1 }]').routes[0]?.match, []))
})

describe('health', () => {
  test('a version’s own goes before the global one, key by key', () => {
    const { versions } = parse(`
versions:
  v1: { url: "http://127.0.0.1:1" }
  v2: { url: "http://127.0.0.1:2", health: { timeout: 1s } }
  v3: { url: "http://127.0.0.1:3", health: { tcp: true } }
  v4: { url: "http://127.0.0.1:4", health: { http: /own } }
  v5: { url: "http://127.0.0.1:5", health: { host: own } }
health: { http: /all, host: all, interval: 7s }
stable: v1`).dynamic
    const all = { is: 'http', path: '/all', host: 'all' }
    assert.deepEqual(versions.v1?.health.probe, all)
    assert.deepEqual([versions.v2?.health.probe, versions.v2?.health.timeoutMs, versions.v2?.health.intervalMs], [all, 1_000, 7_000])
    assert.deepEqual(versions.v3?.health.probe, { is: 'tcp' })
    assert.deepEqual(versions.v4?.health.probe, { is: 'http', path: '/own', host: 'all' })
    assert.deepEqual(versions.v5?.health.probe, { is: 'http', path: '/all', host: 'own' })
  })
})

test('sticky by a cookie, by a header, by a cookie or else a header', () => {
  assert.deepEqual(dynamic('sticky: { cookie: uid }').sticky, { cookie: 'uid', header: null })
  assert.deepEqual(dynamic('sticky: { or: { header: X-User } }').sticky, { cookie: null, header: 'x-user' })
  assert.deepEqual(dynamic('sticky: { cookie: uid, or: { header: x-user } }').sticky, { cookie: 'uid', header: 'x-user' })
})

test('off is 0 or none, on is on, a sample has its rate', () => {
  assert.equal(dynamic('timeouts: { exchange: off }').timeouts.exchangeMs, 0)
  assert.equal(dynamic('limits: { bodyBytes: off }').limits.bodyBytes, 0)
  assert.deepEqual(dynamic('accessLog: on').accessLog, { is: 'on' })
  assert.deepEqual(dynamic('accessLog: { sample: 0.01 }').accessLog, { is: 'sample', rate: 0.01 })
})

test('a candidate that is stable already is none', () => assert.equal(dynamic('candidate: v1').candidate, null))
