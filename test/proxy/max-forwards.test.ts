/** Where a request is to end at this hop (RFC 9110 sections 7.6.2 and 9.3.7). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forwardedHops, ownAnswer } from '../../src/proxy/max-forwards.ts'
import { headOf } from './head.ts'

const answer = (method: string, target: string, ...hops: readonly string[]) =>
  ownAnswer(headOf({ method, target, raw: ['Host', 'a', ...hops.flatMap((value) => ['Max-Forwards', value])] }))?.status ?? null

test('ends here: OPTIONS and TRACE without a hop left', () => {
  assert.equal(answer('OPTIONS', '/', '0'), 204)
  assert.equal(answer('TRACE', '/', '0'), 501)
  assert.equal(answer('OPTIONS', '/', '00'), 204)
})

test('ends here: OPTIONS *, which is about the server as such', () => {
  assert.equal(answer('OPTIONS', '*'), 204)
  assert.equal(answer('OPTIONS', '*', '5'), 204)
})

test('goes on: hops left, none said, something that is no number, or another method', () => {
  assert.equal(answer('OPTIONS', '/', '1'), null)
  assert.equal(answer('OPTIONS', '/'), null)
  for (const value of ['', 'x', '-0', ' 0', '0x0', '1234567890']) assert.equal(answer('OPTIONS', '/', value), null, value)
  for (const method of ['GET', 'HEAD', 'POST', 'options', 'DELETE']) assert.equal(answer(method, '/', '0'), null, method)
})

test('each hop takes one, where the method makes it count, and never below zero', () => {
  assert.equal(forwardedHops('OPTIONS', '10'), '9')
  assert.equal(forwardedHops('TRACE', '0'), '0')
  assert.equal(forwardedHops('OPTIONS', '999999999'), '999999998')
  assert.equal(forwardedHops('OPTIONS', 'x'), 'x')
  assert.equal(forwardedHops('GET', '10'), '10')
})
