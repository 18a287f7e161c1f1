/** Which failed attempts may be followed by another: methods × how much was sent × what went wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, type FaultCode } from '../../src/errors.ts'
import { faultAnswers } from '../../src/proxy/respond.ts'
import { isIdempotent, isRetriable, nextOf } from '../../src/proxy/retry.ts'

const codes = Object.keys(faultAnswers) as FaultCode[]
const idempotent = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']
const others = ['POST', 'PATCH', 'CONNECT', 'get', 'PROPFIND', '']
const lost: readonly FaultCode[] = ['connect-failed', 'connect-timeout', 'upstream-reset']

const retriable = (code: FaultCode, sent: 'nothing' | 'part' | 'all', method: string) => isRetriable(new Fault(code, 'x'), sent, method)

test('idempotent are the methods of RFC 9110 section 9.2.2, spelt exactly', () => {
  assert.deepEqual([...idempotent, ...others].filter(isIdempotent), idempotent)
})

test('what was certainly never sent is tried again whatever the method, if it is the connection that failed', () => {
  for (const method of [...idempotent, ...others])
    assert.deepEqual(codes.filter((code) => retriable(code, 'nothing', method)).sort(), [...lost].sort(), method)
})

test('what may have arrived is tried again after a reset only, and only where twice is the same as once', () => {
  for (const sent of ['part', 'all'] as const) {
    for (const method of idempotent)
      assert.deepEqual(
        codes.filter((code) => retriable(code, sent, method)),
        ['upstream-reset'],
        method,
      )
    for (const method of others)
      assert.deepEqual(
        codes.filter((code) => retriable(code, sent, method)),
        [],
        method,
      )
  }
})

test('the next attempt is where it failed, then at the fallback; at once there if a fresh connection failed, and never a fourth', () => {
  const [failed, down, fallback] = [{ serving: true }, { serving: false }, { serving: true }]
  const [reset, refused] = [new Fault('upstream-reset', 'x'), new Fault('connect-failed', 'x')]
  assert.equal(nextOf(reset, 1, failed, fallback), failed)
  assert.equal(nextOf(reset, 2, failed, fallback), fallback)
  assert.equal(nextOf(reset, 3, failed, fallback), null)
  assert.equal(nextOf(reset, 1, down, fallback), fallback)
  assert.equal(nextOf(refused, 1, failed, fallback), fallback)
  for (const none of [null, failed]) {
    assert.equal(nextOf(refused, 1, failed, none), failed)
    assert.equal(nextOf(reset, 2, failed, none), null)
  }
  assert.equal(nextOf(reset, 1, down, null), null)
})
