import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Roles, RouteMatch, RouteRequest, RouteSpec, TextMatch } from '../../src/routing/route.ts'
import { bindRouter, compileRoutes, type Router } from '../../src/routing/router.ts'
import { noDraw, request, roles, route } from './request.ts'

// Small alphabets, so that routes and requests meet.
const word = fc.constantFrom('', 'a', 'b', 'ab', 'ba')
const name = fc.constantFrom('x', 'y', 'uid')
const target = fc.constantFrom('stable', 'candidate', 'v1', 'v2', 'v3')

const text: fc.Arbitrary<TextMatch> = fc
  .tuple(
    fc.oneof(
      fc.record({ exact: word }),
      fc.record({ prefix: word }),
      fc.record({ suffix: word }),
      fc.record({ contains: word }),
      fc.record({ regex: fc.constantFrom('a', 'a|b', 'a*b?', '.+') }),
      fc.record({ oneOf: fc.array(word, { maxLength: 3 }) }),
      fc.constant({ present: true as const }),
    ),
    fc.boolean(),
  )
  .map(([match, invert]) => ({ ...match, invert }))
const texts = fc.dictionary(name, text, { maxKeys: 2 })

const match: fc.Arbitrary<RouteMatch> = fc.record(
  {
    headers: texts,
    query: texts,
    cookies: texts,
    path: fc.oneof(
      fc.record({ exact: fc.constant('/a') }),
      fc.record({ prefix: fc.constantFrom('/a', '/') }),
      fc.record({ regex: fc.constant('/[ab]*') }),
    ),
    methods: fc.subarray(['GET', 'POST'], { minLength: 1 }),
    host: text,
    client: fc.subarray(['10.0.0.0/8', '::/0'], { minLength: 1 }),
  },
  { requiredKeys: [] },
)

const weight = fc.integer({ min: 1, max: 1000 })
const spec: fc.Arbitrary<Omit<RouteSpec, 'name'>> = fc.record({
  match: fc.array(match, { maxLength: 3 }),
  action: fc.oneof(fc.record({ to: target }), fc.record({ split: fc.dictionary(target, weight, { minKeys: 1, maxKeys: 4 }) })),
  fallback: fc.option(target),
  set: fc.constant({}),
  only: fc.option(fc.record({ cidrs: fc.constant(['10.0.0.0/8']) }), { freq: 4 }),
})
const specs = fc.array(spec, { maxLength: 5 }).map((list) => list.map((one, index) => ({ ...one, name: `r${index}` })))

const field = fc.oneof(
  fc.tuple(fc.constantFrom('x', 'X', 'y', 'UID'), word),
  fc.tuple(
    fc.constantFrom('cookie', 'Cookie'),
    fc
      .array(
        fc.tuple(name, word).map((pair) => pair.join('=')),
        { maxLength: 3 },
      )
      .map((pairs) => pairs.join('; ')),
  ),
)
const someRequest: fc.Arbitrary<RouteRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  target: fc.constantFrom('/', '/a', '/a/b', '/ab', '*', '/?x=a', '/a?x=b&y=%61&x', '/a?uid=ab'),
  host: word,
  raw: fc.array(field, { maxLength: 5 }).map((fields) => fields.flat()),
  client: fc.constantFrom('10.1.1.1', '::ffff:10.1.1.1', '192.0.2.1', '::1', ''),
})
const someRoles: fc.Arbitrary<Roles> = fc.constantFrom(
  roles,
  { stable: 'v1', candidate: null, salt: '', weight: 0 },
  { stable: 'v2', candidate: 'v3', salt: 'upg-1', weight: 0 },
  { ...roles, weight: 30 },
  { ...roles, weight: 0.01 },
  { stable: 'v2', candidate: 'v3', salt: 'upg-1', weight: 100 },
  { stable: 'v1', candidate: null, salt: '', weight: 50 },
)
const sticky = { cookie: 'uid', header: 'uid' }
const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

function bound(routes: readonly RouteSpec[], as: Roles): Router {
  return bindRouter(compileRoutes(routes, sticky), as)
}

describe('for any routes, roles and request', () => {
  test('decide and explain never disagree', () => {
    fc.assert(
      fc.property(specs, someRoles, someRequest, draw, (routes, as, asked, drawn) => {
        const router = bound(routes, as)
        const decision = router.decide(asked, () => drawn)
        const explanation = router.explain(asked, () => drawn)
        assert.equal(explanation.decision, decision)
        assert.equal(
          explanation.routes.findIndex((trial) => trial.matched),
          decision.index,
        )
        for (const trial of explanation.routes) assert.equal(trial.failures.length === 0, trial.matched)
        assert.ok(explanation.reason.includes(decision.version))
      }),
      { numRuns: 2000 },
    )
  })

  test('the first route that would match alone wins', () => {
    fc.assert(
      fc.property(specs, someRoles, someRequest, (routes, as, asked) => {
        const alone = routes.findIndex((one) => bound([one], as).decide(asked, () => 0).index === 0)
        assert.equal(bound(routes, as).decide(asked, () => 0).index, alone)
      }),
      { numRuns: 1000 },
    )
  })

  test('an inverted text match is the opposite', () => {
    const places = fc.constantFrom('headers', 'cookies', 'query')
    fc.assert(
      fc.property(places, name, text, someRequest, (place, key, one, asked) => {
        const claimed = [false, true].map((invert) => {
          const only = route({ match: [{ [place]: { [key]: { ...one, invert } } }] })
          return bound([only], roles).decide(asked, noDraw).index === 0
        })
        assert.notEqual(claimed[0], claimed[1])
      }),
      { numRuns: 1000 },
    )
  })

  test('a version named outright is never moved', () => {
    fc.assert(
      fc.property(fc.constantFrom('v1', 'v2', 'v3'), fc.option(target), someRoles, someRequest, (to, fallback, as, asked) => {
        assert.equal(bound([route({ action: { to }, fallback })], as).decide(asked, noDraw).version, to)
      }),
    )
  })
})

describe('for any weight of a plan', () => {
  const percent = fc.oneof(fc.constantFrom(0, 0.001, 10, 50, 99.999, 100), fc.double({ min: 0, max: 100, noNaN: true }))
  const during: fc.Arbitrary<Roles> = fc.constantFrom(
    { stable: 'v1', candidate: 'v2', salt: 'upg-1', weight: 0 },
    { stable: 'v2', candidate: 'v3', salt: 'upg-2', weight: 0 },
  )

  test('a request moves from stable to the candidate once as it grows, and never back; nothing else changes', () => {
    const seen = { moved: 0 }
    fc.assert(
      fc.property(specs, during, someRequest, draw, percent, percent, (routes, as, asked, drawn, one, other) => {
        const at = (share: number) => bound(routes, { ...as, weight: share }).decide(asked, () => drawn)
        const [before, after] = [at(Math.min(one, other)), at(Math.max(one, other))]
        assert.deepEqual([after.route, after.index, after.set], [before.route, before.index, before.set])
        if (after.version === before.version) return
        seen.moved++
        assert.deepEqual([before.version, after.version, after.fallback], [as.stable, as.candidate, as.stable])
      }),
      { numRuns: 3000 },
    )
    assert.ok(seen.moved > 50, `${seen.moved} moves seen`)
  })

  test('a user who is stable’s on several routes is moved on all of them or on none', () => {
    const seen = { moved: 0, left: 0 }
    fc.assert(
      fc.property(
        specs,
        during,
        fc.array(someRequest, { minLength: 2, maxLength: 5 }),
        fc.string(),
        percent,
        (routes, as, asked, uid, share) => {
          // Named outright a version never moves; here every stable is the role.
          const byRole = routes.filter(({ action }) => !('to' in action ? [action.to] : Object.keys(action.split)).includes(as.stable))
          const [without, weighted] = [bound(byRole, as), bound(byRole, { ...as, weight: share })]
          const users = asked.map((one) => ({ ...one, raw: ['uid', `u${uid}`] }))
          const stables = users.filter((one) => without.decide(one, noDraw).version === as.stable)
          const now = new Set(stables.map((one) => weighted.decide(one, noDraw).version))
          assert.ok(now.size <= 1, [...now].join())
          if (now.has(as.stable)) seen.left++
          else if (now.size === 1) seen.moved++
        },
      ),
      { numRuns: 2000 },
    )
    assert.ok(seen.moved > 50 && seen.left > 50, JSON.stringify(seen))
  })

  test('the candidate has that share of many users, within what chance allows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.string(), (share, salt) => {
        const router = bound([], { ...roles, salt, weight: share })
        const users = 10_000
        let moved = 0
        for (let user = 0; user < users; user++)
          if (router.decide(request({ raw: ['uid', `user-${user}`] }), noDraw).version === 'v2') moved++
        const tolerance = 6 * Math.sqrt(users * (share / 100) * (1 - share / 100))
        assert.ok(Math.abs(moved - users * (share / 100)) <= tolerance, `${moved} of ${users} at ${share} %`)
      }),
      { numRuns: 30 },
    )
  })
})

describe('for any weights', () => {
  const other = fc.dictionary(fc.constantFrom('v3', 'v4'), weight)

  test('raising the candidate moves users to it, and none back', () => {
    fc.assert(
      fc.property(
        other,
        weight,
        weight,
        weight,
        fc.constantFrom('candidate', 'v2'),
        fc.string(),
        (others, stable, before, more, to, uid) => {
          const decided = (share: number) =>
            bound([route({ action: { split: { ...others, stable, [to]: share } } })], roles).decide(
              request({ raw: ['uid', `u${uid}`] }),
              noDraw,
            ).version
          if (decided(before) === 'v2') assert.equal(decided(before + more), 'v2')
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('every target gets its share of many users, within what chance allows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.string(), (percent, salt) => {
        const router = bound([route({ action: { split: { stable: 100 - percent, candidate: percent } } })], { ...roles, salt })
        const users = 10_000
        let moved = 0
        for (let user = 0; user < users; user++) {
          if (router.decide(request({ raw: ['uid', `user-${user}`] }), noDraw).version === 'v2') moved++
        }
        // Six standard deviations.
        const tolerance = 6 * Math.sqrt(users * (percent / 100) * (1 - percent / 100))
        assert.ok(Math.abs(moved - users * (percent / 100)) <= tolerance, `${moved} of ${users} at ${percent} %`)
      }),
      { numRuns: 30 },
    )
  })
})
