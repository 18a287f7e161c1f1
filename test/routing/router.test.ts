import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bucketOf } from '../../src/routing/bucket.ts'
import type { Decision, Roles, RouteSpec, StickySpec } from '../../src/routing/route.ts'
import { bindRouter, compileRoutes, type Router } from '../../src/routing/router.ts'
import { noDraw, request, roles, route } from './request.ts'

function router(routes: readonly RouteSpec[], as: Roles = roles, sticky: StickySpec | null = null): Router {
  return bindRouter(compileRoutes(routes, sticky), as)
}

const lone: Roles = { stable: 'v1', candidate: null, salt: '', weight: 0 }

function versions({ version, fallback }: Decision): string {
  return fallback === null ? version : `${version}, else ${fallback}`
}

describe('a route table', () => {
  test('sends what no route claims to stable', () => {
    const decision = router([route({ match: [{ methods: ['POST'] }] })]).decide(request(), noDraw)
    assert.deepEqual(decision, { route: null, index: -1, version: 'v1', fallback: null, set: [] })
  })
  test('takes the first route that matches', () => {
    const get = route({ name: 'get', match: [{ methods: ['GET'] }], action: { to: 'v3' } })
    const decision = router([route({ name: 'post', match: [{ methods: ['POST'] }] }), get, route()]).decide(request(), noDraw)
    assert.equal(decision.route, 'get')
    assert.equal(decision.index, 1)
    assert.equal(decision.version, 'v3')
  })
  test('takes a route when any of its alternatives matches', () => {
    const table = router([route({ match: [{ methods: ['POST'] }, { path: { prefix: '/api' } }] })])
    assert.equal(table.decide(request({ target: '/api' }), noDraw).index, 0)
    assert.equal(table.decide(request({ method: 'POST' }), noDraw).index, 0)
    assert.equal(table.decide(request(), noDraw).index, -1)
  })
  test('says which headers the route sets', () => {
    assert.deepEqual(router([route({ set: { 'x-a': '1', 'X-B': '2' } })]).decide(request(), noDraw).set, ['x-a', '1', 'X-B', '2'])
  })
  test('makes each decision once, not per request', () => {
    const table = router([route({ action: { split: { stable: 1, candidate: 1 } } })])
    for (const draw of [0, 0.9]) {
      assert.equal(
        table.decide(request(), () => draw),
        table.decide(request(), () => draw),
      )
    }
  })
})

describe('a target', () => {
  const rows: readonly (readonly [string, string | null, Roles, string])[] = [
    ['v3', null, roles, 'v3'],
    ['v3', 'stable', roles, 'v3, else v1'],
    ['stable', null, roles, 'v1'],
    ['stable', 'stable', roles, 'v1'],
    ['stable', 'candidate', roles, 'v1, else v2'],
    ['candidate', null, roles, 'v2'],
    ['candidate', 'stable', roles, 'v2, else v1'],
    ['candidate', 'v2', roles, 'v2'],
    ['candidate', null, lone, 'v1'],
    ['candidate', 'stable', lone, 'v1'],
    ['candidate', 'v3', lone, 'v3'],
    ['candidate', 'candidate', lone, 'v1'],
    ['stable', 'candidate', lone, 'v1'],
    ['v2', 'candidate', lone, 'v2'],
  ]
  for (const [to, fallback, as, expected] of rows) {
    test(`${to} with fallback ${fallback} and candidate ${as.candidate} is ${expected}`, () => {
      assert.equal(versions(router([route({ action: { to }, fallback })], as).decide(request(), noDraw)), expected)
    })
  }
  test('in a split with no candidate gives its share to the fallback', () => {
    const split = route({ action: { split: { stable: 95, candidate: 5 } }, fallback: 'v3' })
    assert.equal(versions(router([split], lone).decide(request(), () => 0)), 'v3')
    assert.equal(versions(router([split], lone).decide(request(), () => 0.5)), 'v1, else v3')
  })
})

describe('a split', () => {
  const at = (split: Record<string, number>, bucket: number, as: Roles = roles) =>
    router([route({ action: { split } })], as).decide(request(), () => bucket / 10_000).version

  test('gives the candidate the lowest buckets', () => {
    assert.equal(at({ stable: 95, candidate: 5 }, 0), 'v2')
    assert.equal(at({ stable: 95, candidate: 5 }, 499), 'v2')
    assert.equal(at({ stable: 95, candidate: 5 }, 500), 'v1')
    assert.equal(at({ stable: 95, candidate: 5 }, 9999), 'v1')
  })
  test('gives the same buckets to the same versions when they are called by name', () => {
    for (const bucket of [0, 499, 500, 9999]) assert.equal(at({ v1: 95, v2: 5 }, bucket), at({ stable: 95, candidate: 5 }, bucket))
  })
  test('orders its targets by role and name, not as they were written', () => {
    const written = [{ stable: 50, v3: 20, v4: 20, candidate: 10 } as const, { candidate: 10, v4: 20, v3: 20, stable: 50 } as const]
    for (const split of written) {
      assert.deepEqual(
        [0, 999, 1000, 2999, 3000, 4999, 5000].map((bucket) => at(split, bucket)),
        ['v2', 'v2', 'v3', 'v3', 'v4', 'v4', 'v1'],
      )
    }
  })
  test('takes weights of any sum', () => {
    assert.equal(at({ stable: 0.3, candidate: 0.1 }, 2499), 'v2')
    assert.equal(at({ stable: 0.3, candidate: 0.1 }, 2500), 'v1')
  })
  test('leaves no share without a bucket, however small its weight', () => {
    assert.equal(at({ stable: 1e9, candidate: 1e-9 }, 0), 'v2')
    assert.equal(at({ stable: 1e9, candidate: 1e-9 }, 1), 'v1')
    assert.equal(at({ stable: 1e-9, candidate: 1e9 }, 9999), 'v1')
    assert.equal(at({ stable: 1e-9, candidate: 1e9, v3: 1e-9 }, 9998), 'v3')
  })
  test('draws once for each request without a key, and not at all for one target', () => {
    let draws = 0
    const draw = () => {
      draws++
      return 0
    }
    router([route({ action: { split: { stable: 1, candidate: 1 } } })]).decide(request(), draw)
    assert.equal(draws, 1)
    assert.equal(router([route({ action: { split: { candidate: 7 } } })]).decide(request(), noDraw).version, 'v2')
  })
})

describe('a sticky key', () => {
  const split = route({ action: { split: { stable: 5000, candidate: 5000 } } })
  const sticky = router([split], roles, { cookie: 'uid', header: 'X-User-Id' })
  const expected = (key: string) => (bucketOf(key, 'v2') < 5000 ? 'v2' : 'v1')
  const decided = (raw: readonly string[]) => sticky.decide(request({ raw }), noDraw).version
  const [low, high] = ['a', 'b', 'c', 'd', 'e', 'f'].toSorted((a, b) => bucketOf(a, 'v2') - bucketOf(b, 'v2')).filter((_, i) => i % 5 === 0)

  test('is the cookie first, else the header', () => {
    assert.notEqual(expected(low ?? ''), expected(high ?? ''))
    assert.equal(decided(['x-user-id', `${high}`, 'Cookie', `x=1; uid=${low}`]), 'v2')
    assert.equal(decided(['x-user-id', `${low}`, 'Cookie', `uid=${high}`]), 'v1')
    assert.equal(decided(['x-user-id', `${low}`, 'Cookie', 'x=1']), 'v2')
    assert.equal(decided(['x-user-id', `${high}`]), 'v1')
  })
  test('that is empty is none', () => {
    assert.equal(decided(['x-user-id', `${low}`, 'Cookie', 'uid=; x=1']), 'v2')
    assert.equal(decided(['x-user-id', '', 'X-User-Id', `${low}`]), 'v2')
    assert.equal(sticky.decide(request({ raw: ['x-user-id', '', 'cookie', 'uid='] }), () => 0.99).version, 'v1')
  })
  test('of a repeated cookie is the first', () => {
    assert.equal(decided(['cookie', `uid=${low}; uid=${high}`]), 'v2')
    assert.equal(decided(['cookie', `uid=${high}`, 'cookie', `uid=${low}`]), 'v1')
  })
  test('gives the same bucket on every route', () => {
    const other = route({ name: 'other', match: [{ path: { prefix: '/x' } }], action: { split: { v1: 1, v2: 1 } }, set: { a: 'b' } })
    const two = router([other, split], roles, { cookie: 'uid', header: null })
    for (let index = 0; index < 200; index++) {
      const raw = ['cookie', `uid=u${index}`]
      const onOther = two.decide(request({ raw, target: '/x' }), noDraw)
      const onSplit = two.decide(request({ raw }), noDraw)
      assert.equal(onOther.version, onSplit.version)
      assert.notEqual(onOther.index, onSplit.index)
    }
  })
})

describe('only', () => {
  const canary = route({ match: [{ headers: { 'x-canary': { exact: 'true' } } }], only: { cidrs: ['10.0.0.0/8'] } })
  const table = router([canary, route({ name: 'next', action: { to: 'v3' } })])
  const raw = ['x-canary', 'true']
  test('lets a client inside take the route', () => {
    assert.equal(table.decide(request({ raw, client: '10.1.1.1' }), noDraw).route, 'route')
  })
  test('is, for a client outside, as if the route were not there', () => {
    assert.equal(table.decide(request({ raw, client: '11.1.1.1' }), noDraw).route, 'next')
    assert.equal(table.decide(request({ raw, client: '' }), noDraw).route, 'next')
  })
  test('does not make a request match that does not look like it', () => {
    assert.equal(table.decide(request({ client: '10.1.1.1' }), noDraw).route, 'next')
  })
})

describe('what a client can make long', () => {
  // With a quadratic scan each of these takes minutes.
  test('is scanned in linear time', { timeout: 60_000 }, () => {
    const long = 1_000_000
    const match = { cookies: { a: { contains: 'zz' } }, query: { a: { contains: 'zz' } } }
    const table = router([route({ match: [match, { cookies: match.cookies }, { query: match.query }] })], roles, {
      cookie: 'uid',
      header: null,
    })
    for (const pair of ['a', 'a=', ';', '&', '=', '%', '%e2', 'a=%C3;a=%C3&', ' ', '\t;']) {
      for (const joint of [';', '&', '']) {
        const text = `${pair}${joint}`.repeat(long / 4)
        assert.equal(table.decide(request({ raw: ['cookie', text], target: `/?${text}` }), noDraw).index, -1, pair)
      }
    }
  })
})
