import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RouteMatch, RouteRequest, TextMatch } from '../../src/routing/route.ts'
import { matches } from './request.ts'

interface Row {
  readonly text: TextMatch
  readonly yes: readonly string[]
  readonly no: readonly string[]
}

const kinds: Record<string, Row> = {
  exact: { text: { exact: 'beta' }, yes: ['beta'], no: ['bet', 'betas', 'Beta', 'xbeta', ''] },
  prefix: { text: { prefix: 'be' }, yes: ['be', 'beta'], no: ['b', 'xbe', 'Be', ''] },
  suffix: { text: { suffix: 'ta' }, yes: ['ta', 'beta'], no: ['a', 'tax', 'TA', ''] },
  contains: { text: { contains: 'et' }, yes: ['et', 'beta'], no: ['e', 't', 'e-t', ''] },
  regex: { text: { regex: 'be(ta)?[0-9]*' }, yes: ['be', 'beta', 'beta12'], no: ['xbeta', 'betax', 'b', ''] },
  oneOf: { text: { oneOf: ['beta', 'rc'] }, yes: ['beta', 'rc'], no: ['bet', 'rcx', ''] },
  present: { text: { present: true }, yes: ['beta', ''], no: [] },
}

/** Every place where a text match can stand; each puts values into a request. */
interface Place {
  match(text: TextMatch): RouteMatch
  parts(values: readonly string[]): Partial<RouteRequest>
}

const places: Record<string, Place> = {
  header: {
    match: (text) => ({ headers: { 'X-Tag': text } }),
    parts: (values) => ({ raw: ['Accept', 'beta', ...values.flatMap((value) => ['x-TAG', value]), 'x-tags', 'beta'] }),
  },
  cookie: {
    match: (text) => ({ cookies: { tag: text } }),
    parts: (values) => ({ raw: ['cookie', ['a=beta', ...values.map((value) => `tag=${value}`), 'tags=beta', 'beta'].join('; ')] }),
  },
  'cookie, one a field': {
    match: (text) => ({ cookies: { tag: text } }),
    parts: (values) => ({ raw: ['Cookie', 'a=beta', ...values.flatMap((value) => ['Cookie', `tag=${value}`])] }),
  },
  query: {
    match: (text) => ({ query: { tag: text } }),
    parts: (values) => ({ target: `/tag=beta?${['a=beta', ...values.map((value) => `tag=${value}`), 'tags=beta'].join('&')}` }),
  },
  'query, percent-encoded': {
    match: (text) => ({ query: { tag: text } }),
    parts: (values) => ({ target: `/?a=1&${values.map((value) => `%74ag=${escaped(value)}`).join('&')}` }),
  },
}

function escaped(value: string): string {
  return [...value].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('')
}

for (const [placeName, place] of Object.entries(places)) {
  describe(`a ${placeName} match`, () => {
    for (const [kind, { text, yes, no }] of Object.entries(kinds)) {
      const plain = (values: readonly string[]) => matches(place.match(text), place.parts(values))
      const inverted = (values: readonly string[]) => matches(place.match({ ...text, invert: true }), place.parts(values))

      test(`${kind} holds for the whole value only`, () => {
        for (const value of yes) assert.equal(plain([value]), true, `${kind} of ${JSON.stringify(value)}`)
        for (const value of no) assert.equal(plain([value]), false, `${kind} of ${JSON.stringify(value)}`)
      })
      test(`${kind} inverted is the opposite`, () => {
        for (const value of yes) assert.equal(inverted([value]), false, `not ${kind} of ${JSON.stringify(value)}`)
        for (const value of no) assert.equal(inverted([value]), true, `not ${kind} of ${JSON.stringify(value)}`)
      })
      test(`${kind} fails when absent, and inverted it holds`, () => {
        assert.equal(plain([]), false)
        assert.equal(inverted([]), true)
      })
      test(`${kind} holds when any of several values does, inverted when none does`, () => {
        const other = no[0] ?? ''
        for (const value of yes) {
          assert.equal(plain([other, value]), true)
          assert.equal(plain([value, other]), true)
          assert.equal(inverted([other, value]), false)
        }
        if (no.length > 0) assert.equal(inverted([other, other]), true)
      })
    }
  })
}

describe('a host match', () => {
  const host = (text: TextMatch, value: string) => matches({ host: text }, { host: value })
  test('takes literals in any case, since hosts have none', () => {
    assert.equal(host({ exact: 'Example.COM' }, 'example.com'), true)
    assert.equal(host({ prefix: 'Beta.' }, 'beta.example.com'), true)
    assert.equal(host({ suffix: '.Example.com' }, 'beta.example.com'), true)
    assert.equal(host({ suffix: '.example.com' }, 'example.com'), false)
    assert.equal(host({ contains: 'AMP' }, 'example.com'), true)
    assert.equal(host({ oneOf: ['A.com', 'B.com'] }, 'b.com'), true)
    assert.equal(host({ regex: '[a-z]+[.]com' }, 'example.com'), true)
    assert.equal(host({ invert: true, exact: 'Example.com' }, 'example.com'), false)
  })
  test('takes an empty host for an absent one', () => {
    assert.equal(host({ present: true }, ''), false)
    assert.equal(host({ invert: true, present: true }, ''), true)
    assert.equal(host({ present: true }, 'a'), true)
  })
})
