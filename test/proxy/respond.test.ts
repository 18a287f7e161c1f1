/** The one table from a fault to an answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault, type FaultCode } from '../../src/errors.ts'
import { bodyOf, faultAnswers, faultFields, rawAnswer } from '../../src/proxy/respond.ts'
import { readMessage, valuesOf } from '../kit/raw-message.ts'

const codes = Object.keys(faultAnswers) as FaultCode[]

test('every fault has a blame and an answer; nobody is there to be answered when the client has gone', () => {
  for (const code of codes) {
    const { status, reason } = faultAnswers[code]
    assert.ok(['client', 'upstream', 'operator', 'baton'].includes(new Fault(code, 'x').blame), code)
    if (code === 'client-gone') assert.equal(status, null)
    else {
      assert.ok(status !== null && status >= 400 && status <= 599, code)
      assert.notEqual(reason, '')
      assert.equal(
        status < 500,
        ['client'].includes(new Fault(code, 'x').blame) && !/^(method|version)-/.test(code),
        `${code}: whose fault the status says it is`,
      )
    }
  }
})

test('baton never answers 404 of its own (DESIGN.md section 4)', () => {
  assert.ok(codes.every((code) => faultAnswers[code].status !== 404))
})

test('what is over soon says when to come again: every 503, and nothing else', () => {
  for (const code of codes) assert.equal(faultAnswers[code].retryAfterS !== null, faultAnswers[code].status === 503, code)
})

test('after what cannot be read in one way, nothing more is read on the connection', () => {
  for (const code of ['bad-request', 'head-too-large', 'uri-too-long', 'body-too-large', 'version-not-supported'] as const)
    assert.equal(faultAnswers[code].close, true, code)
})

test('whatever a fault quotes, its answer is one message of plain ASCII, with its fields each on one line', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...codes.filter((code) => code !== 'client-gone')),
      fc.string({ unit: 'binary', maxLength: 500, size: 'max' }),
      (code, detail) => {
        const text = rawAnswer(new Fault(code, detail))
        assert.match(text, /^[\x20-\x7e\r\n]*$/)
        const message = readMessage(Buffer.from(text), 0, { kind: 'response', closed: true })
        assert.equal(message?.fault, null)
        assert.equal(message?.complete, true)
        assert.equal(message?.end, text.length)
        assert.equal(message?.lines.length, 7 + (faultAnswers[code].retryAfterS === null ? 0 : 1) - 1)
      },
    ),
    { numRuns: 2_000, seed: 3 },
  )
})

test('an answer says what went wrong, in its body and in baton-error, and is not to be kept', () => {
  const fault = new Fault('connect-failed', 'no connection to the version: ECONNREFUSED')
  assert.equal(bodyOf(fault).toString(), '502 Bad Gateway: no connection to the version: ECONNREFUSED\n')
  const fields = faultFields(fault, bodyOf(fault))
  const lines = fields.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${fields[at + 1]}`] : []))
  assert.deepEqual(valuesOf(lines, 'baton-error'), ['connect-failed; no connection to the version: ECONNREFUSED'])
  assert.deepEqual(valuesOf(lines, 'cache-control'), ['no-store'])
  assert.deepEqual(valuesOf(lines, 'content-length'), [String(bodyOf(fault).length)])
})

test('a long detail is cut', () => {
  assert.ok(bodyOf(new Fault('internal', 'x'.repeat(10_000))).length < 300)
})
