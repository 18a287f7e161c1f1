import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeForm } from '../../src/routing/percent.ts'
import type { PathMatch, RouteMatch } from '../../src/routing/route.ts'
import { matches } from './request.ts'

function paths(path: PathMatch, rows: Record<string, boolean>): void {
  for (const [target, expected] of Object.entries(rows)) assert.equal(matches({ path }, { target }), expected, target)
}

describe('a path match', () => {
  test('prefix is by segment', () => {
    const rows = { '/api': true, '/api/': true, '/api/x': true, '/api?q': true, '/api/x?q': true, '/apix': false, '/ap': false, '/': false }
    paths({ prefix: '/api' }, { ...rows, '/x/api': false, '/x?/api': false, '/API': false })
  })
  test('prefix with a slash at its end asks for that slash', () => {
    paths({ prefix: '/api/' }, { '/api/': true, '/api/x': true, '/api': false, '/api?/': false, '/api/?a': true })
  })
  test('prefix / is every path, and not the target *', () => {
    paths({ prefix: '/' }, { '/': true, '/x': true, '/?q': true, '*': false })
  })
  test('exact leaves the query aside', () => {
    paths({ exact: '/api' }, { '/api': true, '/api?x=1': true, '/api?': true, '/api/': false, '/apix': false, '/?/api': false })
  })
  test('exact does not look into the query', () => {
    paths({ exact: '/a?b' }, { '/a?b': false, '/a': false })
  })
  test('regex is the whole path, without the query', () => {
    paths({ regex: '/v[0-9]+/.*' }, { '/v1/x': true, '/v1/': true, '/v1/x?y': true, '/v1': false, '/x/v1/x': false, '/?/v1/x': false })
  })
  test('is on the target as it was sent: nothing is decoded or resolved', () => {
    paths({ prefix: '/api' }, { '/%61pi': false, '/x/../api': false, '//api': false, '/api/../x': true, '/api%2Fx': false })
  })
})

describe('a method match', () => {
  test('is one of the methods, case-sensitive', () => {
    const match: RouteMatch = { methods: ['GET', 'HEAD'] }
    for (const [method, expected] of Object.entries({ GET: true, HEAD: true, POST: false, get: false, GE: false })) {
      assert.equal(matches(match, { method }), expected, method)
    }
  })
})

describe('a client match', () => {
  test('is by CIDR block', () => {
    const match: RouteMatch = { client: ['10.0.0.0/8', 'fd00::/8'] }
    const rows = {
      '10.1.2.3': true,
      '::ffff:10.1.2.3': true,
      '11.0.0.1': false,
      'fd12::1': true,
      'fe80::1': false,
      unknown: false,
      '': false,
    }
    for (const [client, expected] of Object.entries(rows)) assert.equal(matches(match, { client }), expected, client)
  })
})

describe('a cookie match', () => {
  const cookie = (field: string, exact: string) => matches({ cookies: { uid: { exact } } }, { raw: ['Cookie', field] })
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['uid=a', 'a', true],
    ['x=1; uid=a; y=2', 'a', true],
    ['x=1;uid=a;y=2', 'a', true],
    [' uid = a ;', 'a', true],
    [';;uid=a', 'a', true],
    ['uid=a=b', 'a=b', true],
    ['uid="a"', '"a"', true],
    ['uid="a"', 'a', false],
    ['uid=%61', 'a', false],
    ['uid=', '', true],
    ['uid', '', false],
    ['UID=a', 'a', false],
    ['xuid=a', 'a', false],
    ['uidx=a', 'a', false],
    ['x=uid=a', 'a', false],
  ]
  for (const [field, exact, expected] of rows) {
    test(`${JSON.stringify(field)} ${expected ? 'has' : 'has not'} uid ${JSON.stringify(exact)}`, () => {
      assert.equal(cookie(field, exact), expected)
    })
  }
})

describe('a query match', () => {
  const query = (target: string, name: string, exact: string) => matches({ query: { [name]: { exact } } }, { target })
  const rows: readonly (readonly [string, string, string, boolean])[] = [
    ['/?a=b', 'a', 'b', true],
    ['/?a', 'a', '', true],
    ['/?a=', 'a', '', true],
    ['/?&&a=b&', 'a', 'b', true],
    ['/?a=b=c', 'a', 'b=c', true],
    ['/?a=b+c', 'a', 'b c', true],
    ['/?a=b%20c', 'a', 'b c', true],
    ['/?a=b%2Bc', 'a', 'b+c', true],
    ['/?a=%26%3d', 'a', '&=', true],
    ['/?a+b=c', 'a b', 'c', true],
    ['/?%C3%A9=%e2%82%ac%F0%9F%98%80', 'é', '€😀', true],
    ['/?a=%', 'a', '%', true],
    ['/?a=%4', 'a', '%4', true],
    ['/?a=%4&b', 'a', '%4', true],
    ['/?a=%zz%41', 'a', '%zzA', true],
    ['/?a=%ff%41', 'a', '%ffA', true],
    ['/?a=%C3', 'a', '%C3', true],
    ['/?a=%C3(', 'a', '%C3(', true],
    ['/?a=%C0%80', 'a', '%C0%80', true],
    ['/?a=%ED%A0%80', 'a', '%ED%A0%80', true],
    ['/?a=%F4%90%80%80', 'a', '%F4%90%80%80', true],
    ['/?a=%F8%88%80%80', 'a', '%F8%88%80%80', true],
    ['/?a=%F9%80%80%80', 'a', '%F9%80%80%80', true],
    ['/?a=%80', 'a', '%80', true],
    ['/?a=b?c=d', 'a', 'b?c=d', true],
    ['/?A=b', 'a', 'b', false],
    ['/a=b', 'a', 'b', false],
    ['/?', 'a', '', false],
    ['/?aa=b', 'a', 'b', false],
    ['/?b=a', 'a', '', false],
    ['/?a;b=c', 'b', 'c', false],
  ]
  for (const [target, name, exact, expected] of rows) {
    test(`${target} ${expected ? 'has' : 'has not'} ${name} ${JSON.stringify(exact)}`, () => {
      assert.equal(query(target, name, exact), expected)
    })
  }
})

describe('a match on part of a field', () => {
  test('does not see what stands before the value', () => {
    assert.equal(matches({ cookies: { a: { suffix: '=b' } } }, { raw: ['cookie', 'a=b'] }), false)
    assert.equal(matches({ query: { a: { suffix: '=b' } } }, { target: '/?a=b' }), false)
  })
  test('does not see what stands behind the value', () => {
    assert.equal(matches({ cookies: { a: { contains: 'c' } } }, { raw: ['cookie', 'a=b; c=d'] }), false)
    assert.equal(matches({ query: { a: { contains: 'c' } } }, { target: '/?a=b&c=d' }), false)
    assert.equal(decodeForm('a%41', 0, 3), 'a%4')
  })
})

describe('several conditions', () => {
  test('must all hold', () => {
    const match: RouteMatch = {
      methods: ['POST'],
      path: { prefix: '/api' },
      host: { exact: 'example.com' },
      headers: { a: { exact: '1' }, b: { exact: '2' } },
      cookies: { c: { exact: '3' } },
      query: { d: { exact: '4' } },
      client: ['192.0.2.0/24'],
    }
    const all = { method: 'POST', target: '/api?d=4', raw: ['a', '1', 'b', '2', 'cookie', 'c=3'] }
    assert.equal(matches(match, all), true)
    const broken = [
      { method: 'GET' },
      { target: '/x?d=4' },
      { target: '/api?d=5' },
      { host: 'x.com' },
      { raw: ['a', '1', 'cookie', 'c=3'] },
      { raw: ['a', '1', 'b', '2'] },
      { client: '192.0.3.1' },
    ]
    for (const parts of broken) assert.equal(matches(match, { ...all, ...parts }), false, JSON.stringify(parts))
  })
  test('a match without any is every request', () => {
    assert.equal(matches({}, {}), true)
  })
})
