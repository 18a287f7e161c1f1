import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatFailure } from '../../src/routing/explain.ts'
import type { Roles, RouteRequest, RouteSpec } from '../../src/routing/route.ts'
import { bindRouter, compileRoutes, type Explanation } from '../../src/routing/router.ts'
import { noDraw, request, roles, route } from './request.ts'

const lone: Roles = { stable: 'v1', candidate: null, salt: '', weight: 0 }

function explain(routes: readonly RouteSpec[], parts: Partial<RouteRequest> = {}, as = roles, draw = noDraw): Explanation {
  return bindRouter(compileRoutes(routes, { cookie: 'uid', header: 'x-user-id' }), as).explain(request(parts), draw)
}

function failures(spec: Partial<RouteSpec>, parts: Partial<RouteRequest> = {}): readonly string[] | undefined {
  return explain([route(spec)], parts).routes[0]?.failures.map(formatFailure)
}

describe('an explanation of a route that does not match', () => {
  const rows: readonly (readonly [Partial<RouteSpec>['match'], Partial<RouteRequest>, string])[] = [
    [[{ headers: { 'X-Canary': { exact: 'true' } } }], {}, 'header x-canary: found absent, expected exact "true"'],
    [[{ headers: { a: { exact: '1' } } }], { raw: ['A', '2', 'a', ''] }, 'header a: found "2", "", expected exact "1"'],
    [[{ headers: { a: { exact: '1', invert: true } } }], { raw: ['a', '1'] }, 'header a: found "1", expected not exact "1"'],
    [[{ headers: { a: { present: true, invert: true } } }], { raw: ['a', '1'] }, 'header a: found "1", expected absent'],
    [[{ headers: { a: { present: true } } }], {}, 'header a: found absent, expected present'],
    [[{ headers: { a: { oneOf: ['1', '2'] } } }], {}, 'header a: found absent, expected one of "1", "2"'],
    [[{ cookies: { a: { prefix: '1' } } }], { raw: ['cookie', 'a=2; a=3'] }, 'cookie a: found "2", "3", expected prefix "1"'],
    [[{ query: { a: { suffix: '1' } } }], { target: '/?a=%32' }, 'query a: found "2", expected suffix "1"'],
    [[{ query: { a: { contains: '1' } } }], {}, 'query a: found absent, expected contains "1"'],
    [[{ host: { regex: 'A' } }], {}, 'host: found "example.com", expected regex "A"'],
    [[{ path: { prefix: '/api' } }], { target: '/x?y' }, 'path: found "/x", expected prefix "/api"'],
    [[{ path: { exact: '/api' } }], {}, 'path: found "/", expected exact "/api"'],
    [[{ path: { regex: '/a' } }], {}, 'path: found "/", expected regex "/a"'],
    [[{ methods: ['POST'] }], {}, 'method: found GET, expected POST'],
    [[{ methods: ['POST', 'PUT'] }], {}, 'method: found GET, expected one of POST, PUT'],
    [[{ client: ['10.0.0.0/8', '::1'] }], {}, 'client: found 192.0.2.1, expected in 10.0.0.0/8, ::1'],
  ]
  for (const [match, parts, expected] of rows) {
    test(`says ${expected}`, () => assert.deepEqual(failures(match === undefined ? {} : { match }, parts), [expected]))
  }
  test('names the first failing condition of each alternative', () => {
    const { routes } = explain([
      route({
        match: [
          { methods: ['GET'], path: { exact: '/a' } },
          { methods: ['PUT'], path: { exact: '/a' } },
        ],
      }),
    ])
    const found = routes[0]?.failures.map(({ alternative, condition }) => `${alternative} ${condition}`)
    assert.deepEqual(found, ['0 path', '1 method'])
  })
  test('names only the client when it is outside of `only`', () => {
    const spec = { match: [{ methods: ['PUT'] }], only: { cidrs: ['10.0.0.0/8'] } }
    assert.deepEqual(failures(spec), ['only: client: found 192.0.2.1, expected in 10.0.0.0/8'])
  })
})

describe('an explanation', () => {
  test('tells of every route in order, those behind the winner too', () => {
    const { routes, decision } = explain([
      route({ name: 'a', match: [{ methods: ['PUT'] }] }),
      route({ name: 'b' }),
      route({ name: 'c' }),
      route({ name: 'd', match: [{ methods: ['PUT'] }] }),
    ])
    const trials = routes.map((trial) => `${trial.route} ${trial.matched} ${trial.failures.length}`)
    assert.deepEqual(trials, ['a false 1', 'b true 0', 'c true 0', 'd false 1'])
    assert.equal(decision.route, 'b')
  })
  test('gives its reason in words', () => {
    const reason = (spec: Partial<RouteSpec>, as = roles) => explain([route({ name: 'r', ...spec })], {}, as).reason
    assert.equal(reason({}), 'route r claimed it: v2')
    assert.equal(reason({ fallback: 'stable' }), 'route r claimed it: v2; if that is not serving, v1')
    assert.equal(reason({ action: { to: 'candidate' } }), 'route r claimed it: candidate, which is v2')
    assert.equal(reason({ match: [{ methods: ['PUT'] }] }), 'no route claimed it: stable, which is v1')
    assert.equal(
      reason({ action: { to: 'candidate' } }, lone),
      'route r claimed it: candidate, which is not set, and there is no fallback: stable, which is v1',
    )
    assert.equal(
      reason({ action: { to: 'candidate' }, fallback: 'stable' }, lone),
      'route r claimed it: candidate, which is not set: its fallback stable, which is v1',
    )
  })
  test('tells the bucket, where it came from, and the range it lies in', () => {
    const few = [route({ name: 'few', action: { split: { stable: 95, candidate: 5 } } })]
    const drawn = explain(few, {}, roles, () => 0.0123)
    assert.deepEqual(drawn.bucket, { value: 123, source: 'drawn' })
    assert.equal(drawn.reason, 'route few claimed it: bucket 123 (drawn) lies in 0 to 499 of 10000, the share of candidate, which is v2')
    const byHeader = explain(few, { raw: ['X-User-Id', 'user-1'] })
    assert.equal(byHeader.bucket?.source, 'header')
    const byCookie = explain(few, { raw: ['X-User-Id', 'user-2', 'cookie', 'uid=user-1'] })
    assert.deepEqual(byCookie.bucket, { value: byHeader.bucket?.value, source: 'cookie' })
    const high = explain(few, {}, roles, () => 0.9)
    assert.equal(high.reason, 'route few claimed it: bucket 9000 (drawn) lies in 500 to 9999 of 10000, the share of stable, which is v1')
  })
  test('has no bucket where none was asked for', () => {
    assert.equal(explain([route()], { raw: ['cookie', 'uid=a'] }).bucket, null)
    assert.equal(explain([], { raw: ['cookie', 'uid=a'] }).bucket, null)
  })
  test('survives JSON', () => {
    const explanation = explain([route({ match: [{ methods: ['PUT'] }] }), route({ set: { a: 'b' } })])
    assert.deepEqual(JSON.parse(JSON.stringify(explanation)), explanation)
  })
})
