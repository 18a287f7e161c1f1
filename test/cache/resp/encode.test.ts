import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import * as resp from '../../../src/cache/resp/encode.ts'

const [a, empty] = [Buffer.from('a'), Buffer.alloc(0)]
const text = (answer: Buffer) => answer.toString('latin1')

describe('answers of our own', () => {
  test('to a read of one value', () => {
    assert.equal(text(resp.encodeBulk(Buffer.from('\xff\r\n', 'latin1'))), '$3\r\n\xff\r\n\r\n')
    assert.equal(text(resp.encodeBulk(empty)), '$0\r\n\r\n')
    assert.deepEqual(
      [2, 3].map((protocol) => text(resp.encodeAbsent(protocol === 2 ? 2 : 3))),
      ['$-1\r\n', '_\r\n'],
    )
  })

  test('to a count or a time, whatever the number', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => assert.equal(text(resp.encodeInteger(value)), `:${value}\r\n`)))
    for (const value of [0, 9, 10, 99, 100, -1, -2, -10, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
      assert.equal(text(resp.encodeInteger(value)), `:${value}\r\n`)
  })

  test('to a read of several values, with those that are not there', () => {
    assert.equal(text(resp.encodeValues([a, null, empty], 2)), '*3\r\n$1\r\na\r\n$-1\r\n$0\r\n\r\n')
    assert.equal(text(resp.encodeValues([a, null, empty], 3)), '*3\r\n$1\r\na\r\n_\r\n$0\r\n\r\n')
    assert.equal(text(resp.encodeValues([], 2)), '*0\r\n')
  })

  test('to a read of a hash', () => {
    assert.equal(text(resp.encodeHash([a, empty], 2)), '*2\r\n$1\r\na\r\n$0\r\n\r\n')
    assert.equal(text(resp.encodeHash([a, empty], 3)), '%1\r\n$1\r\na\r\n$0\r\n\r\n')
    assert.deepEqual([text(resp.encodeHash([], 2)), text(resp.encodeHash([], 3))], ['*0\r\n', '%0\r\n'])
  })

  test('that are errors are one line', () => {
    assert.equal(text(resp.encodeError("ERR unknown subcommand 'a\r\nb'")), "-ERR unknown subcommand 'a  b'\r\n")
  })

  test('and commands of our own', () => {
    assert.equal(
      text(resp.encodeCommand(['GET', Buffer.from('\xff', 'latin1'), 'ä'])),
      '*3\r\n$3\r\nGET\r\n$1\r\n\xff\r\n$2\r\n\xc3\xa4\r\n',
    )
  })
})
