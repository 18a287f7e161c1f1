import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compileRegex, regexFault } from '../../src/routing/regex.ts'
import { matches } from './request.ts'

describe('a regex', () => {
  test('must match the whole value, whatever its alternatives are', () => {
    const rows: readonly (readonly [string, string, boolean])[] = [
      ['v2', 'v2', true],
      ['v2', 'v23', false],
      ['v2', 'xv2', false],
      ['a|ab', 'ab', true],
      ['a|ab', 'abc', false],
      ['^v2$', 'v2', true],
      ['', '', true],
      ['', 'a', false],
      ['(?i)beta', 'BETA', true],
      ['é.', 'é😀', true],
    ]
    for (const [pattern, value, expected] of rows) assert.equal(compileRegex(pattern)(value), expected, `${pattern} on ${value}`)
  })

  // A backtracking engine would need 2^50000 steps for each of these: that the test ends is the proof.
  for (const pattern of ['(a+)+', '(a|aa)+', '(a|a?)+', '(.*a){20}', '([a-z]+)*=']) {
    test(`${pattern} takes linear time on a value made against it`, { timeout: 60_000 }, () => {
      const value = `${'a'.repeat(50_000)}!`
      assert.equal(matches({ headers: { x: { regex: pattern } } }, { raw: ['x', value] }), false)
    })
  }
})

describe('regexFault', () => {
  test('finds nothing in what can be compiled', () => {
    for (const pattern of ['', 'a', '(a+)+$', '[a-z]{1000}', '(?i)x', '(?<n>a)', '\\pL+']) assert.equal(regexFault(pattern), null, pattern)
  })
  test('says what cannot be compiled, in one line', () => {
    const rows = { '(': 'missing closing )', '*': 'missing argument', '[z-a]': 'range', '\\': 'trailing backslash', 'a{1001}': 'repeat' }
    for (const [pattern, words] of Object.entries(rows)) {
      const fault = regexFault(pattern) ?? ''
      assert.ok(fault.includes(words) && !fault.includes('\n'), `${pattern}: ${fault}`)
    }
  })
  test('refuses what needs a backtracking engine', () => {
    for (const pattern of ['(?=a)b', '(?!a)b', '(?<=a)b', '(a)\\1']) assert.notEqual(regexFault(pattern), null, pattern)
  })
  test('refuses a pattern that costs too much for each character', () => {
    assert.match(regexFault('x{1000}y{1000}z{1000}') ?? '', /too large/)
  })
})
