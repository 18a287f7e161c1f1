/** What baton may connect to: asked of a host by the configuration, and of each of its addresses at run time. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mayReach, mayReachAt } from '../../src/config/allowed-upstreams.ts'

const local = ['loopback', 'unix']

const literals: readonly [address: string, allowUpstreams: readonly string[], expected: boolean][] = [
  ['127.0.0.1', local, true],
  ['127.9.9.9', local, true],
  ['::1', local, true],
  ['::ffff:127.0.0.1', local, true],
  ['127.0.0.1', ['127.0.0.0/8'], true],
  ['127.0.0.1', ['127.0.0.1'], true],
  ['127.0.0.1', ['0.0.0.0/0'], true],
  ['127.0.0.1', ['127.0.0.2'], false],
  ['::1', ['127.0.0.0/8'], false],
  ['::1', ['0:0:0:0:0:0:0:1'], true],
  ['127.0.0.1', ['unix'], false],
  ['127.0.0.1', ['localhost'], false],
  ['127.0.0.1', [], false],
  ['10.9.8.7', local, false],
  ['10.9.8.7', ['10.0.0.0/8'], true],
  ['::ffff:10.9.8.7', ['10.0.0.0/8'], true],
  ['fd00::1', ['10.0.0.0/8', 'fd00::/8'], true],
  ['169.254.169.254', ['0.0.0.0/0', '169.254.169.254'], false],
  ['fe80::1', ['::/0', 'fe80::1'], false],
]

const names: readonly [host: string, allowUpstreams: readonly string[], expected: boolean, at: Readonly<Record<string, boolean>>][] = [
  ['localhost', local, true, { '127.0.0.1': true, '::1': true, '10.0.0.1': false }],
  ['localhost', ['127.0.0.0/8'], true, { '127.0.0.1': true, '::1': false }],
  ['localhost', ['localhost'], true, { '127.0.0.1': true, '::1': true }],
  ['localhost', ['unix', '10.0.0.0/8'], false, { '127.0.0.1': false }],
  ['app2', ['app2'], true, { '10.0.0.1': true, '127.0.0.1': true, '169.254.169.254': false, 'fe80::1%eth0': false }],
  ['app2', ['app2', '0.0.0.0/0', '::/0'], true, { '::ffff:169.254.169.254': false, 'fe80::1': false }],
  ['app2', ['app'], false, { '10.0.0.1': false }],
  ['app2', [...local, '10.0.0.0/8'], false, {}],
  ['unix', local, false, { '10.0.0.1': false }],
  ['loopback', local, false, { '10.0.0.1': false }],
]

describe('what baton may connect to', () => {
  for (const [address, allowUpstreams, expected] of literals) {
    test(`${address} is ${expected ? '' : 'not '}within [${allowUpstreams}], before and at run time`, () => {
      assert.equal(mayReach(address, allowUpstreams), expected)
      assert.equal(mayReachAt(address, address, allowUpstreams), expected)
    })
  }

  for (const [host, allowUpstreams, expected, at] of names) {
    test(`${host} is ${expected ? '' : 'not '}within [${allowUpstreams}], and then only where that leads`, () => {
      assert.equal(mayReach(host, allowUpstreams), expected)
      for (const [address, reached] of Object.entries(at)) assert.equal(mayReachAt(address, host, allowUpstreams), reached, address)
    })
  }
})
