import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ProtocolError } from '../../../src/cache/resp/protocol-error.ts'
import { ReplyScanner } from '../../../src/cache/resp/reply-scanner.ts'
import { bytewise, cut, cuts } from './cut.ts'

interface Frame {
  readonly bytes: string
  readonly kind: number
  readonly size: number
  readonly pushKind: string
}

/** The frames of a stream, as text (latin1). What is open at its end is left out. */
function scanned(chunks: readonly Buffer[]): Frame[] {
  const scanner = new ReplyScanner()
  const frames: Frame[] = []
  let open = ''
  for (const chunk of chunks) {
    let at = 0
    while (at < chunk.length) {
      const end = scanner.scan(chunk, at)
      open += chunk.toString('latin1', at, end === -1 ? chunk.length : end)
      assert.equal(scanner.size, open.length)
      assert.equal(scanner.idle, end !== -1)
      if (end === -1) break
      frames.push({ bytes: open, kind: scanner.kind, size: scanner.size, pushKind: scanner.pushKind })
      open = ''
      at = end
    }
  }
  return frames
}

function framesOf(text: string): Frame[] {
  return scanned([Buffer.from(text, 'latin1')])
}

const line = fc.string({ unit: 'binary-ascii', maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, ' '))
const bytes = fc.uint8Array({ maxLength: 30 }).map((value) => Buffer.from(value).toString('latin1'))
const lines = fc.tuple(fc.constantFrom('+', '-', ':', '_', '#', ',', '('), line).map(([type, text]) => `${type}${text}\r\n`)
const bulks = fc.tuple(fc.constantFrom('$', '!', '='), bytes).map(([type, text]) => `${type}${text.length}\r\n${text}\r\n`)
const { reply } = fc.letrec<{ reply: string; plain: string }>((tie) => ({
  plain: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    lines,
    bulks,
    fc.constantFrom('$-1\r\n', '*-1\r\n'),
    fc
      .tuple(fc.constantFrom('*', '~', '>'), fc.array(tie('reply'), { maxLength: 4 }))
      .map(([type, all]) => `${type}${all.length}\r\n${all.join('')}`),
    pairs(tie('reply')).map((all) => `%${all}`),
  ),
  reply: fc.oneof(
    { weight: 5, arbitrary: tie('plain') },
    { weight: 1, arbitrary: fc.tuple(pairs(tie('reply')), tie('plain')).map(([all, own]) => `|${all}${own}`) },
  ),
}))

function pairs(element: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.array(fc.tuple(element, element), { maxLength: 3 }).map((all) => `${all.length}\r\n${all.flat().join('')}`)
}

describe('the replies of an upstream', () => {
  test('end where they end, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 6 }), cuts, (replies, places) => {
        const stream = Buffer.from(replies.join(''), 'latin1')
        const frames = scanned(cut(stream, places))
        assert.deepEqual(
          frames.map((frame) => frame.bytes),
          replies,
        )
        assert.deepEqual(scanned([stream]), frames)
        assert.deepEqual(scanned(bytewise(stream)), frames)
      }),
      { numRuns: 500 },
    )
  })

  test('are of the kind that stands after their attributes', () => {
    const attributes = '|1\r\n+ttl\r\n*2\r\n:1\r\n|0\r\n:2\r\n'
    for (const own of ['-ERR no\r\n', '+OK\r\n', '>1\r\n+x\r\n', '*-1\r\n', '_\r\n', '%1\r\n+a\r\n-b\r\n']) {
      for (const text of [own, `|0\r\n${own}`, `${attributes}${own}`, `${attributes}${attributes}${own}`]) {
        const frames = framesOf(`${text}:1\r\n`)
        assert.deepEqual(
          frames.map(({ kind, size }) => [String.fromCharCode(kind), size]),
          [
            [own[0], text.length],
            [':', 4],
          ],
        )
      }
    }
  })

  test('have no kind before their own type was read', () => {
    const scanner = new ReplyScanner()
    assert.deepEqual([scanner.idle, scanner.kind, scanner.size], [true, 0, 0])
    scanner.scan(Buffer.from('|1\r\n+a\r\n-b\r\n'), 0)
    assert.deepEqual([scanner.idle, scanner.kind, scanner.size], [false, 0, 12])
    assert.equal(scanner.scan(Buffer.from('$'), 0), -1)
    assert.equal(scanner.kind, 36)
    assert.equal(scanner.scan(Buffer.from('0\r\n\r\n'), 0), 5)
    assert.deepEqual([scanner.idle, scanner.kind, scanner.size], [true, 36, 18])
    assert.equal(scanner.scan(Buffer.alloc(0), 0), -1)
    assert.deepEqual([scanner.idle, scanner.kind, scanner.size], [true, 36, 18])
  })

  test('may be nested as deep as they like', () => {
    const deep = `${'*1\r\n'.repeat(200_000)}:1\r\n`
    assert.deepEqual(
      framesOf(`${deep}+OK\r\n`).map(({ size }) => size),
      [deep.length, 5],
    )
  })

  test('have no first text unless they are pushes; it is cut when it is long', () => {
    const texts = {
      '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nv\r\n': 'message',
      '>2\r\n+invalidate\r\n_\r\n': 'invalidate',
      '|1\r\n+a\r\n>1\r\n+b\r\n>2\r\n+subscribe\r\n:1\r\n': 'subscribe',
      '>1\r\n$0\r\n\r\n': '',
      '>0\r\n': '',
      '>1\r\n:1\r\n': '',
      '>1\r\n*1\r\n+x\r\n': '',
      '>1\r\n|1\r\n+a\r\n+b\r\n+c\r\n': '',
      '*1\r\n+x\r\n': '',
      '*1\r\n>1\r\n+x\r\n': '',
      [`>1\r\n$100\r\n${'m'.repeat(100)}\r\n`]: 'm'.repeat(64),
    }
    for (const [text, pushKind] of Object.entries(texts)) {
      const stream = Buffer.from(`>1\r\n+before\r\n${text}`)
      for (const chunks of [[stream], bytewise(stream)]) assert.equal(scanned(chunks)[1]?.pushKind, pushKind, text)
    }
  })

  test('that are none are a protocol error', () => {
    for (const text of [
      'x',
      '\r\n',
      '$?\r\n',
      '*?\r\n',
      '$x\r\n',
      '$-2\r\n',
      '%-1\r\n',
      '>-1\r\n',
      '=-1\r\n',
      '$01\r\n',
      '$1\n',
      '+a\rb+c\r\n',
      '$1\r$a\r\n',
      '$1000000000000000\r\n',
      ';4\r\n',
      '.\r\n',
    ])
      assert.throws(() => framesOf(`+OK\r\n${text}`), ProtocolError, text)
    assert.throws(() => framesOf('%999999999999999\r\n'.repeat(10)), ProtocolError)
  })
})
