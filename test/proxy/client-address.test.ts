/** Who the client is when trusted proxies stand before baton. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clientOf } from '../../src/proxy/client-address.ts'
import { addressSet } from '../../src/routing/address.ts'

const trusted = addressSet(['10.0.0.0/8', 'fd00::/8'])
const peer = '10.0.0.1'
const client = (...said: readonly string[]) =>
  clientOf(
    said.flatMap((value) => ['X-Forwarded-For', value]),
    peer,
    trusted,
  )

test('nobody says anything: the peer', () => {
  assert.equal(client(), peer)
  assert.equal(client(''), peer)
})

test('the last address that no trusted hop vouches for; what stands before it can be made up', () => {
  assert.equal(client('203.0.113.9'), '203.0.113.9')
  assert.equal(client('1.1.1.1, 203.0.113.9, 10.2.2.2'), '203.0.113.9')
  assert.equal(client('1.1.1.1', '203.0.113.9', '10.2.2.2'), '203.0.113.9')
})

test('all of them are trusted: the first', () => {
  assert.equal(client('10.9.9.9, 10.2.2.2'), '10.9.9.9')
})

test('what is no address ends the walk', () => {
  for (const not of ['unknown', '_hidden', '', 'abc', 'dead', '1.2.3', '1.2.3.4.5', '::1::', '1.2.3.4; x', '300.1.1.1'])
    assert.equal(client(`203.0.113.9, ${not}, 10.2.2.2`), '10.2.2.2', not)
})

test('IPv6, in brackets or not; a port is left aside', () => {
  assert.equal(client('2001:db8::9'), '2001:db8::9')
  assert.equal(client('[2001:db8::9]'), '2001:db8::9')
  assert.equal(client('[2001:db8::9]:4711'), '2001:db8::9')
  assert.equal(client('203.0.113.9:4711'), '203.0.113.9')
  assert.equal(client('203.0.113.9, [fd00::2]:80'), '203.0.113.9')
})

test('whatever is said, the client is an address', () => {
  const part = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('10.1.1.1', 'unknown', 'abc:', ':::', '1:2'), fc.string())
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const found = client(parts.join(','))
      assert.ok(addressSet(['0.0.0.0/0', '::/0']).has(found), found)
    }),
    { numRuns: 2_000, seed: 3 },
  )
})
