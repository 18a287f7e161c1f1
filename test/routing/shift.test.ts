import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bucketOf } from '../../src/routing/bucket.ts'
import type { Decision, Roles, RouteSpec } from '../../src/routing/route.ts'
import { bindRouter, compileRoutes, type Router } from '../../src/routing/router.ts'
import { noDraw, request, roles, route } from './request.ts'

function router(weight: number, routes: readonly RouteSpec[] = [], as: Partial<Roles> = {}): Router {
  return bindRouter(compileRoutes(routes, { cookie: 'uid', header: null }), { ...roles, ...as, weight })
}

function versions({ version, fallback }: Decision): string {
  return fallback === null ? version : `${version}, else ${fallback}`
}

/** The decision for a request whose bucket is this one. */
function at(table: Router, bucket: number): string {
  return versions(table.decide(request(), () => bucket / 10_000))
}

describe('with a weight of 10 %', () => {
  test('what no route claims goes to the candidate below that bucket, and has stable to fall back on', () => {
    assert.deepEqual(
      [0, 999, 1000, 9999].map((bucket) => at(router(10), bucket)),
      ['v2, else v1', 'v2, else v1', 'v1', 'v1'],
    )
  })
  test('so does what a route sends to stable; its name, its position and its headers stay', () => {
    const table = router(10, [route({ action: { to: 'stable' }, fallback: 'v3', set: { a: 'b' } })])
    assert.deepEqual([at(table, 999), at(table, 1000)], ['v2, else v1', 'v1, else v3'])
    const { route: name, index, set } = table.decide(request(), () => 0)
    assert.deepEqual([name, index, set], ['route', 0, ['a', 'b']])
  })
  test('of a split the share of stable gives way, from the same bucket on', () => {
    const table = router(10, [route({ action: { split: { stable: 95, candidate: 5 } } })])
    assert.deepEqual(
      [0, 499, 500, 999, 1000].map((bucket) => at(table, bucket)),
      ['v2', 'v2', 'v2, else v1', 'v2, else v1', 'v1'],
    )
  })
  test('a split that gives the candidate more already does not change', () => {
    const table = router(10, [route({ action: { split: { stable: 80, candidate: 20 } } })])
    assert.deepEqual(
      [0, 1999, 2000].map((bucket) => at(table, bucket)),
      ['v2', 'v2', 'v1'],
    )
  })
  test('a split’s other targets keep what they have', () => {
    const table = (weight: number) => router(weight, [route({ action: { split: { stable: 60, v3: 40 } } })])
    assert.deepEqual(
      [10, 50, 100].map((weight) => [0, 3999, 4000, 4999, 5000, 9999].map((bucket) => at(table(weight), bucket).slice(0, 2)).join(' ')),
      ['v3 v3 v1 v1 v1 v1', 'v3 v3 v2 v2 v1 v1', 'v3 v3 v2 v2 v2 v2'],
    )
  })
  test('a version named outright is never moved, though it be stable: neither alone, nor in a split, nor as a fallback', () => {
    const alone = router(10, [route({ action: { to: 'v1' } })])
    assert.equal(alone.decide(request(), noDraw).version, 'v1')
    const split = router(10, [route({ action: { split: { v1: 50, v3: 50 } } })])
    assert.deepEqual([at(split, 0), at(split, 9999)], ['v3', 'v1'])
    assert.equal(at(router(10, [route({ action: { to: 'v3' }, fallback: 'stable' })]), 0), 'v3, else v1')
  })
  test('a user’s bucket is that of the sticky key, as in a split', () => {
    const users = Array.from({ length: 200 }, (_, index) => `user-${index}`)
    const table = router(10)
    for (const user of users) {
      const expected = bucketOf(user, roles.salt) < 1000 ? 'v2' : 'v1'
      assert.equal(table.decide(request({ raw: ['cookie', `uid=${user}`] }), noDraw).version, expected)
    }
  })
  test('each decision is made once, not per request', () => {
    const table = router(10)
    for (const drawn of [0, 0.9])
      assert.equal(
        table.decide(request(), () => drawn),
        table.decide(request(), () => drawn),
      )
  })
})

describe('a weight', () => {
  test('of 0 and of 100 asks for no bucket', () => {
    for (const routes of [[], [route({ action: { to: 'stable' } })]]) {
      assert.equal(router(0, routes).decide(request(), noDraw).version, 'v1')
      assert.equal(router(100, routes).decide(request(), noDraw).version, 'v2')
    }
  })
  test('with no candidate, or with stable as candidate, moves nobody', () => {
    for (const candidate of [null, 'v1']) assert.equal(router(50, [], { candidate }).decide(request(), noDraw).version, 'v1')
  })
  test('may have a fraction; it moves at least one bucket, and below 100 leaves one', () => {
    assert.deepEqual([at(router(0.25), 24), at(router(0.25), 25)], ['v2, else v1', 'v1'])
    assert.deepEqual([at(router(1e-9), 0), at(router(1e-9), 1)], ['v2, else v1', 'v1'])
    assert.deepEqual([at(router(99.9999), 9998), at(router(99.9999), 9999)], ['v2, else v1', 'v1'])
  })
})

describe('an explanation', () => {
  const reason = (weight: number, routes: readonly RouteSpec[], drawn: number) =>
    router(weight, routes).explain(request(), () => drawn).reason

  test('tells what the weight has moved, and what it has not', () => {
    const moved = 'stable, moved by the weight of 10 % to candidate, which is v2; if that is not serving, v1'
    assert.equal(reason(10, [], 0.0123), `no route claimed it: bucket 123 (drawn) lies in 0 to 999 of 10000, the share of ${moved}`)
    assert.equal(
      reason(10, [], 0.5),
      'no route claimed it: bucket 5000 (drawn) lies in 1000 to 9999 of 10000, the share of stable, which is v1',
    )
    const split = [route({ name: 'few', action: { split: { stable: 95, candidate: 5 } } })]
    assert.equal(reason(10, split, 0.06), `route few claimed it: bucket 600 (drawn) lies in 500 to 999 of 10000, the share of ${moved}`)
  })
  test('has no bucket where all were moved', () => {
    const { bucket, reason: words } = router(100).explain(request(), noDraw)
    assert.equal(bucket, null)
    assert.equal(words, 'no route claimed it: stable, moved by the weight of 100 % to candidate, which is v2; if that is not serving, v1')
  })
})
