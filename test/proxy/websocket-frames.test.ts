/** Frame boundaries, however the bytes come. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { closeFrame, FrameScanner } from '../../src/proxy/websocket-frames.ts'

interface Frame {
  readonly opcode: number
  readonly flags: number
  readonly mask: boolean
  readonly payload: Uint8Array
  /** How its length is written; more bytes than it needs are an offence, but no riddle. */
  readonly form: 7 | 16 | 63
}

function encode({ opcode, flags, mask, payload, form }: Frame): Uint8Array {
  const bit = mask ? 0x80 : 0
  const { length } = payload
  const head = [(flags << 4) | opcode]
  if (form === 7 && length < 126) head.push(bit | length)
  else if (form !== 63 && length < 65536) head.push(bit | 126, length >> 8, length & 0xff)
  else head.push(bit | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff)
  const key = mask ? [0x8a, 0x81, 0x02, 0xff] : []
  return Uint8Array.from([...head, ...key, ...payload])
}

const payload = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 8 }) },
  { weight: 2, arbitrary: fc.uint8Array({ minLength: 120, maxLength: 135 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1).map((more) => new Uint8Array(65535 + more).fill(0x88)) },
)
const frame: fc.Arbitrary<Frame> = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 3, 9, 10, 15),
  flags: fc.integer({ min: 0, max: 15 }),
  mask: fc.boolean(),
  payload,
  form: fc.constantFrom(7 as const, 16 as const, 63 as const),
})

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length))
}

/** Where the scanner says that frames end, counted from the first byte of all. */
function boundaries(chunks: readonly Uint8Array[], scanner = new FrameScanner()): number[] {
  const found: number[] = []
  let before = 0
  for (const chunk of chunks) {
    for (let at = 0; at !== -1 && at < chunk.length; ) {
      at = scanner.next(chunk, at)
      if (at !== -1) found.push(before + at)
    }
    before += chunk.length
  }
  return found
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

describe('frame boundaries', () => {
  test('are the same for any chunking of any frames', () => {
    const property = fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, places) => {
      const encoded = frames.map(encode)
      const ends = encoded.map((_, index) => encoded.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0))
      assert.deepEqual(boundaries(cut(concat(encoded), places)), ends)
    })
    fc.assert(property, { numRuns: 500 })
  })

  test('byte by byte, every header form', () => {
    for (const form of [7, 16, 63] as const)
      for (const mask of [false, true]) {
        const bytes = encode({ opcode: 2, flags: 8, mask, payload: new Uint8Array(300), form })
        assert.deepEqual(boundaries([...bytes].map((byte) => Uint8Array.of(byte))), [bytes.length])
      }
  })

  test('a whole chunk taken at once leaves the scanner where taking it step by step does', () => {
    const property = fc.property(fc.array(frame, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 6 }), frame, (frames, places, last) => {
      const [once, stepped] = [new FrameScanner(), new FrameScanner()]
      for (const chunk of cut(concat([...frames.map(encode), encode(last).subarray(0, 1)]), places)) {
        once.pass(chunk)
        boundaries([chunk], stepped)
      }
      assert.equal(once.atBoundary, stepped.atBoundary)
      const rest = encode(last).subarray(1)
      assert.equal(once.next(rest, 0), stepped.next(rest, 0))
    })
    fc.assert(property)
  })

  test('garbage neither throws nor loops, and a place that is given is within the chunk and further on', () => {
    const property = fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (chunks) => {
      const scanner = new FrameScanner()
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) {
          const next = scanner.next(chunk, at)
          if (next === -1) break
          assert.ok(next > at && next <= chunk.length)
          at = next
        }
      }
    })
    fc.assert(property, { numRuns: 1000 })
  })

  test('a length that nobody can mean never ends', () => {
    const scanner = new FrameScanner()
    const head = Uint8Array.of(0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
    assert.deepEqual(boundaries([head, new Uint8Array(1000)], scanner), [])
    assert.equal(scanner.atBoundary, false)
  })

  test('a close frame is seen once it is whole, and nothing else is taken for one', () => {
    const scanner = new FrameScanner()
    boundaries([encode({ opcode: 2, flags: 8, mask: true, payload: Uint8Array.of(0x88, 2, 3, 0xe8), form: 7 })], scanner)
    assert.equal(scanner.closeSeen, false)
    const close = closeFrame(1000, 0x01020304)
    boundaries([close.subarray(0, -1)], scanner)
    assert.equal(scanner.closeSeen, false)
    boundaries([close.subarray(-1)], scanner)
    assert.equal(scanner.closeSeen, true)
  })
})

test('a close frame carries its code, masked for an app and plain for a client (RFC 6455 section 5.5.1)', () => {
  assert.deepEqual([...closeFrame(1012, null)], [0x88, 2, 0x03, 0xf4])
  assert.deepEqual([...closeFrame(1001, 0xdeadbeef)], [0x88, 0x82, 0xde, 0xad, 0xbe, 0xef, 0x03 ^ 0xde, 0xe9 ^ 0xad])
})
