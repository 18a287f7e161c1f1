import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Limits } from '../../src/config/settings.ts'
import { formatConfigFault } from '../../src/errors.ts'
import { misfitsOf } from '../../src/fleet/fits.ts'
import { limits } from './fixture.ts'

const one = { id: 'one', limits }
const two = { id: 'two', limits: { ...limits, allowUpstreams: ['10.0.0.0/8'] } }
const version = (v1: object) => JSON.stringify({ versions: { v1 }, stable: 'v1' })

/** A version and the limits of an instance → what is wrong with it there. */
const table: readonly (readonly [what: string, v1: object, own: Partial<Limits>, ...faults: RegExp[]])[] = [
  ['loopback, where it is allowed', { url: 'http://127.0.0.1:3000' }, {}],
  ['loopback, where only a network is', { url: 'http://127.0.0.1:3000' }, { allowUpstreams: ['10.0.0.0/8'] }, /allowUpstreams/],
  ['a network, where only loopback is', { url: 'http://10.1.1.1:80' }, {}, /found 10\.1\.1\.1, expected an upstream of bootstrap\.allow/],
  ['a network, where it is allowed', { url: 'http://10.1.1.1:80' }, { allowUpstreams: ['10.0.0.0/8'] }],
  ['a name, where it is allowed', { url: 'http://app:80' }, { allowUpstreams: ['app'] }],
  ['a name, where another one is', { url: 'http://app:80' }, { allowUpstreams: ['app2'] }, /add app to bootstrap\.allowUpstreams/],
  ['a link-local address, whatever is allowed', { url: 'http://169.254.169.254:80' }, { allowUpstreams: ['0.0.0.0/0'] }, /link-local/],
  ['a process that is there', { process: 'blue' }, {}],
  ['a process that is not', { process: 'bleu' }, {}, /did you mean blue\?/],
  ['a retirement that is there', { url: 'http://127.0.0.1:3000', retire: 'asked' }, {}],
  ['a retirement that is not', { url: 'http://127.0.0.1:3000', retire: 'told' }, {}, /one of bootstrap\.retirements/],
  ['its own public listener', { url: 'http://127.0.0.1:8080' }, {}, /this is the public listener/],
  ['its own metrics socket', { socket: '/run/m.sock' }, {}, /this is the metrics listener/],
  ['its own admin socket', { socket: '/var/lib/baton/admin.sock' }, {}, /this is the admin socket/],
  [
    'its own admin address',
    { url: 'http://127.0.0.1:9901' },
    { admin: { address: { is: 'tcp', host: '127.0.0.1', port: 9901 } } },
    /this is the admin address/,
  ],
  [
    'the gateway of another version',
    { url: 'http://127.0.0.1:6391' },
    { redis: { gateways: { v2: { address: { is: 'tcp', host: '127.0.0.1', port: 6391 } } }, names: null } },
    /this is the gateway of v2/,
  ],
]

describe('a version at', () => {
  for (const [what, v1, own, ...faults] of table) {
    test(`${what}: ${faults.length === 0 ? 'fits' : 'does not fit'}`, () => {
      const misfits = misfitsOf(version(v1), 'new.yaml', [{ id: 'one', limits: { ...limits, ...own } }])
      assert.equal(misfits.length, faults.length, JSON.stringify(misfits))
      for (const [index, fault] of faults.entries()) {
        const misfit = misfits[index] ?? assert.fail()
        assert.match(formatConfigFault(misfit.fault), fault)
        assert.match(formatConfigFault(misfit.fault), /^new\.yaml:1:\d+ versions\.v1\./)
        assert.deepEqual(misfit.instances, ['one'])
      }
    })
  }
})

describe('a configuration', () => {
  test('that fits everybody has no misfit', () => {
    assert.deepEqual(misfitsOf(version({ url: 'http://127.0.0.1:1' }), 'f', [one, { ...one, id: 'three' }]), [])
    assert.deepEqual(misfitsOf(version({ url: 'http://127.0.0.1:1' }), 'f', []), [])
  })

  test('with a cache does not fit where there is no Redis, and fits where there is', () => {
    const cache = { everyKey: true, warm: { from: ['file'] } }
    const text = JSON.stringify({ versions: { v1: { url: 'http://127.0.0.1:1' } }, stable: 'v1', cache })
    const unnamed = { id: 'unnamed', limits: { ...limits, redis: { gateways: {}, names: null } } }
    const named = { id: 'named', limits: { ...limits, redis: { gateways: {}, names: '/etc/names.txt' } } }
    assert.deepEqual(
      misfitsOf(text, 'f', [one, unnamed, named]).map(({ instances, fault }) => [instances, fault.path]),
      [
        [['one'], 'cache'],
        [['unnamed'], 'cache.warm.from[0]'],
      ],
    )
  })

  test('that fits one has a misfit with the other', () => {
    assert.deepEqual(
      misfitsOf(version({ url: 'http://127.0.0.1:1' }), 'f', [one, two]).map(({ instances }) => instances),
      [['two']],
    )
  })

  test('that fits nobody has each fault once, with all who have it', () => {
    const text = JSON.stringify({ versions: { v1: { url: 'http://app:1' }, v2: { url: 'http://10.0.0.1:1' } }, stable: 'v1' })
    const misfits = misfitsOf(text, 'f', [one, two, { ...one, id: 'three' }])
    assert.deepEqual(
      misfits.map(({ fault, instances }) => [fault.path, instances]),
      [
        ['versions.v1.url', ['one', 'two', 'three']],
        ['versions.v2.url', ['one', 'three']],
      ],
    )
  })
})
