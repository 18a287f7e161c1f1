import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { documentBytes, readDocument } from '../../src/config/document.ts'
import { faultsOf } from './fixture.ts'

const read = (text: string) => readDocument(text, 'x.yaml')
const faults = (text: string) => faultsOf(text, read)

describe('where things stand', () => {
  const document = read('a:\n  b: [1, {c: 2}]\n  "d e": x\nf: &anchor\n  g: 1\nh: *anchor\n')
  const places: readonly [(string | number)[], 'key' | 'value', number, number][] = [
    [['a'], 'key', 1, 1],
    [['a'], 'value', 2, 3],
    [['a', 'b'], 'value', 2, 6],
    [['a', 'b', 0], 'value', 2, 7],
    [['a', 'b', 1, 'c'], 'key', 2, 11],
    [['a', 'b', 1, 'c'], 'value', 2, 14],
    [['a', 'd e'], 'value', 3, 10],
    [['h', 'g'], 'value', 5, 6],
  ]
  for (const [path, at, line, column] of places) {
    test(`the ${at} of ${path.join('.')}`, () => assert.deepEqual(document.locate(path, at), { line, column }))
  }

  test('what is missing stands at its parent’s key', () => {
    assert.deepEqual(document.locate(['a', 'b', 1, 'missing'], 'value'), { line: 2, column: 10 })
    assert.deepEqual(document.locate(['missing'], 'value'), { line: 1, column: 1 })
  })

  test('JSON is read too', () => assert.deepEqual(read('{"a": [1, "off"]}').value, { a: [1, 'off'] }))
  test('off, on, yes and no are texts, as YAML 1.2 has it', () => assert.deepEqual(read('a: off\nb: yes').value, { a: 'off', b: 'yes' }))
  test('a key __proto__ is a key like any other', () => {
    const value = read('__proto__: {polluted: 1}').value
    assert.deepEqual(Object.keys(value as object), ['__proto__'])
    assert.equal((value as Record<string, unknown>).polluted, undefined)
  })
})

describe('what is refused', () => {
  const cases: readonly [what: string, text: string, line: number, column: number, found: RegExp][] = [
    ['a key twice', 'a: 1\nb: 2\na: 3\n', 3, 1, /the key "a" again/],
    ['a key twice, deep within', 'x: [{ a: 1, a: 2 }]', 1, 13, /the key "a" again/],
    ['a merge key', 'a: &a {b: 1}\nc:\n  <<: *a\n', 3, 3, /merge key/],
    ['an open bracket', 'a: [1\n', 2, 1, /Flow sequence/],
    ['a tab as indentation', 'a:\n\tb: 1\n', 2, 1, /[Tt]ab/],
    ['an unknown tag', 'a: !secret x\n', 1, 4, /tag/],
    ['an unknown alias', 'a: *nobody\n', 1, 4, /alias/i],
    ['two documents', 'a: 1\n---\nb: 1\n', 2, 1, /multiple documents/],
    ['a list at the top', '- a\n', 1, 1, /a list/],
    ['a text at the top', 'hello\n', 1, 1, /"hello"/],
    ['nothing at all', '', 1, 1, /nothing/],
    ['a mapping as a key', '? {a: 1}\n: b\n', 1, 3, /string/],
  ]
  for (const [what, text, line, column, found] of cases) {
    test(what, () => {
      const [fault] = faults(text)
      assert.match(fault?.found ?? '', found)
      assert.deepEqual([fault?.line, fault?.column, fault?.reason], [line, column, 'syntax'])
    })
  }

  test('more than 1 MiB', () => assert.match(faults(`a: ${'x'.repeat(documentBytes)}`)[0]?.expected ?? '', /at most 1048576 bytes/))

  test('aliases that expand to a billion', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`)}]`),
    ]
    assert.match(faults(bomb.join('\n'))[0]?.found ?? '', /alias/i)
  })

  for (const [what, text] of [
    ['brackets', '['.repeat(200_000)],
    ['closed brackets', `a: ${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['dashes', '- '.repeat(100_000)],
    ['question marks', '? '.repeat(100_000)],
    ['mappings', '{a: '.repeat(100_000)],
  ] as const) {
    test(`a bomb of ${what}, without delay`, { timeout: 20_000 }, () => assert.equal(faults(text)[0]?.reason, 'syntax'))
  }

  test('64 levels are read, and 65 are not, written in either way', () => {
    for (const nested of [
      (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`,
      (levels: number) => `${'{a: '.repeat(levels)}1${'}'.repeat(levels)}`,
    ]) {
      read(`a: ${nested(63)}`)
      assert.equal(faults(`a: ${nested(65)}`)[0]?.found, 'deeper nesting')
    }
  })

  test('many empty entries and long rules are no nesting', () => {
    read(`a:\n${'  -\n'.repeat(200)}b: |\n  ${'-'.repeat(200)}\n`)
  })

  test('60,000 keys are read without delay', { timeout: 10_000 }, () => {
    const text = Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join('\n')
    assert.equal(Object.keys(read(text).value as object).length, 60_000)
  })
})
