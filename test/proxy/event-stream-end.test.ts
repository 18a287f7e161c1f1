/** Event boundaries, however the bytes come and however their lines end. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { EventStreamEnd } from '../../src/proxy/event-stream-end.ts'

const bytes = (text: string) => Buffer.from(text)

/** Asked from the first byte on: where does the first event end that ends in these chunks? */
function firstEnd(chunks: readonly string[]): number {
  const scanner = new EventStreamEnd()
  let before = 0
  for (const chunk of chunks) {
    const at = scanner.next(bytes(chunk))
    if (at !== -1) return before + at
    before += chunk.length
  }
  return -1
}

function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => text.slice(from, at[index] ?? text.length))
}

const line = fc.constantFrom('data: x', 'id: 7', ': note', 'data', 'event: y')

describe('the end of an event', () => {
  test('is after the blank line, for each kind of line end and any chunking', () => {
    const lines = fc.array(line, { minLength: 1, maxLength: 4 })
    const property = fc.property(fc.constantFrom('\n', '\r', '\r\n'), lines, fc.array(fc.nat(), { maxLength: 8 }), (eol, event, places) => {
      const text = event.map((each) => each + eol).join('') + eol
      assert.equal(firstEnd(cut(text, places)), text.length)
      assert.equal(firstEnd(cut(`${text}data: next${eol}`, places)), text.length)
    })
    fc.assert(property, { numRuns: 500 })
  })

  for (const text of ['data: x', 'data: x\n', 'data: x\r\n', 'data: x\r', 'data: x\r\n\r', 'data: x\r\ny\r\n', 'data: \\n\\n']) {
    test(`is not in ${JSON.stringify(text)}`, () => assert.equal(firstEnd([text]), -1))
  }

  test('one that passed before is known from the last bytes alone', () => {
    const property = fc.property(
      fc.array(fc.constantFrom('\n', '\r', '\r\n', 'x'), { maxLength: 12 }),
      fc.array(fc.nat()),
      (parts, places) => {
        const [passed, stepped] = [new EventStreamEnd(), new EventStreamEnd()]
        for (const chunk of cut(parts.join(''), places)) {
          passed.pass(bytes(chunk))
          for (const byte of bytes(chunk)) stepped.next(Uint8Array.of(byte))
        }
        assert.equal(passed.atBoundary, stepped.atBoundary)
      },
    )
    fc.assert(property)
  })

  test('a stream may end before its first event, and between two', () => {
    const scanner = new EventStreamEnd()
    assert.equal(scanner.atBoundary, true)
    scanner.pass(bytes('data: x'))
    assert.equal(scanner.atBoundary, false)
    scanner.pass(bytes('\n'))
    assert.equal(scanner.atBoundary, false)
    scanner.pass(bytes('\n'))
    assert.equal(scanner.atBoundary, true)
  })
})
