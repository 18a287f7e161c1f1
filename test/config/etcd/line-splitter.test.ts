import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LineSplitter } from '../../../src/config/etcd/line-splitter.ts'

/** Of no line feed; bytes of several make a character. */
const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('\n', ' '))

describe('lines out of chunks', () => {
  test('are the same wherever the chunks are cut, in the middle of a character too', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), line, fc.array(fc.nat(), { maxLength: 12 }), (lines, rest, cuts) => {
        const bytes = Buffer.from(`${lines.map((each) => `${each}\n`).join('')}${rest}`)
        const at = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b)
        const splitter = new LineSplitter(1_000)
        const taken = at.slice(1).flatMap((end, index) => splitter.take(bytes.subarray(at[index], end)))
        assert.deepEqual(
          taken,
          lines.filter((each) => each !== ''),
        )
        assert.deepEqual(splitter.take(Buffer.from('\n')), rest === '' ? [] : [rest])
      }),
    )
  })

  test('are refused as soon as one is longer than allowed, complete or not, in one chunk or many', () => {
    assert.deepEqual(new LineSplitter(4).take(Buffer.from('1234\n1234\n')), ['1234', '1234'])
    assert.throws(() => new LineSplitter(4).take(Buffer.from('12345')), /a line of more than 4 bytes/)
    assert.throws(() => new LineSplitter(4).take(Buffer.from('12\n12345\n')), /more than 4/)
    const splitter = new LineSplitter(4)
    splitter.take(Buffer.from('123'))
    assert.throws(() => splitter.take(Buffer.from('45')), /more than 4/)
  })
})
