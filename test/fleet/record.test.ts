import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { limitsOf } from '../../src/config/limits.ts'
import type { Limits } from '../../src/config/settings.ts'
import { misfitsOf } from '../../src/fleet/fits.ts'
import { type InstanceRecord, readRecord, writeRecord } from '../../src/fleet/record.ts'
import { everyKey, parse } from '../config/fixture.ts'
import { limits, record } from './fixture.ts'

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'v1', '\u2028"\\'))
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
const address = fc.oneof(
  fc.record({ is: fc.constant('tcp' as const), host: text, port: fc.nat(65_535) }),
  fc.record({ is: fc.constant('unix' as const), path: text }),
)
const anyLimits: fc.Arbitrary<Limits> = fc.record({
  listeners: fc.record({ public: fc.record({ address }), metrics: fc.record({ address }) }),
  admin: orNull(fc.record({ address })),
  redis: orNull(fc.record({ gateways: fc.dictionary(text, fc.record({ address })), names: orNull(text) })),
  state: text,
  allowUpstreams: fc.array(fc.oneof(text, fc.constantFrom('loopback', 'unix', '10.0.0.0/8', '::/0', '1.2.3.4/99', 'app'))),
  processes: fc.dictionary(text, fc.record({ port: fc.integer() })),
  retirements: fc.dictionary(text, fc.record({ is: fc.constant('signal' as const) })),
})
const anyRecord: fc.Arbitrary<InstanceRecord> = fc.record({
  id: text,
  build: text,
  pid: fc.nat(),
  startedAt: fc.nat(),
  revision: fc.nat(),
  hash: text,
  refused: orNull(fc.record({ revision: fc.nat(), faults: fc.array(text) })),
  stale: orNull(text),
  roles: fc.record({ stable: text, candidate: orNull(text) }),
  upgrade: orNull(
    fc.record({
      id: text,
      to: text,
      phase: text,
      step: orNull(fc.nat()),
      weight: fc.nat(),
      isMet: fc.boolean(),
      isFrozen: fc.boolean(),
      why: orNull(text),
    }),
  ),
  ready: fc.boolean(),
  whyNotReady: orNull(text),
  limits: anyLimits,
})

describe('the record of an instance', () => {
  test('is read as it was written', () => {
    const plain = (_: string, value: unknown) => (typeof value === 'string' ? value.replace(/\p{Cc}+/gu, ' ') : value)
    fc.assert(fc.property(anyRecord, (given) => assert.deepEqual(readRecord(writeRecord(given)), JSON.parse(JSON.stringify(given), plain))))
  })

  test('has nothing that moves a terminal', () => {
    const { stale, roles } =
      readRecord(writeRecord({ ...record, stale: '\u001b[2J\r\nno', roles: { ...record.roles, stable: 'v1\u009b' } })) ?? record
    assert.deepEqual([stale, roles.stable], [' [2J no', 'v1 '])
  })

  test('tells the limits of a real bootstrap half, and of its secrets, commands and URLs nothing', () => {
    const told = limitsOf(parse(JSON.stringify(everyKey)).bootstrap)
    const written = writeRecord({ ...record, limits: told })
    assert.deepEqual(readRecord(written)?.limits, told)
    assert.deepEqual(Object.keys(told.processes), ['one', 'two'])
    for (const secret of [
      'app.js',
      'token',
      'etcd.password',
      'redis.password',
      'sentinel',
      'redis.internal',
      '0660',
      'shutdown',
      'hooks.invalid',
      'MODE',
    ])
      assert.ok(!written.includes(secret), secret)
  })

  test('of nobody is none', () => {
    for (const foreign of ['', 'null', '[]', '{}', '"text"', '7', '{"v":1}', '\0', writeRecord(record).slice(0, -1)])
      assert.equal(readRecord(foreign), null, foreign)
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (foreign) => assert.equal(readRecord(foreign), null)))
  })

  test('of another format is none', () => assert.equal(readRecord(JSON.stringify({ ...record, v: 2 })), null))

  /** Every place in the record, down to the last. */
  const places = (value: unknown, path: readonly string[] = []): (readonly string[])[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([key, part]) => [[...path, key], ...places(part, [...path, key])])
      : []
  const full: InstanceRecord = {
    ...record,
    refused: { revision: 8, faults: ['f'] },
    upgrade: { id: 'u', to: 'v2', phase: 'shift', step: 1, weight: 10, isMet: true, isFrozen: false, why: 'w' },
    limits: {
      ...limits,
      admin: { address: { is: 'tcp', host: '127.0.0.1', port: 9901 } },
      redis: { gateways: { green: { address: { is: 'tcp', host: '127.0.0.1', port: 6391 } } }, names: '/etc/baton/names.txt' },
    },
  }
  for (const path of places(full)) {
    // The names of processes, retirements and gateways are free.
    if (['blue', 'asked', 'green'].includes(path.at(-1) ?? '')) continue
    test(`with another kind of ${path.join('.')}, or without it, is none`, () => {
      for (const other of [undefined, { odd: 1 }]) {
        const changed = JSON.parse(JSON.stringify(full))
        const parent = path.slice(0, -1).reduce((value, key) => value[key], changed)
        parent[path.at(-1) ?? ''] = other
        const isFree = other !== undefined && ['processes', 'retirements', 'gateways'].includes(path.at(-1) ?? '')
        assert.equal(readRecord(JSON.stringify({ v: 1, ...changed })), null, isFree ? 'an entry of no such kind' : String(other))
      }
    })
  }

  test('that was read can be asked: no limits of anybody bring the one who asks down', () => {
    const document = JSON.stringify({
      cache: { everyKey: true, warm: { from: ['file'] } },
      versions: { v1: { url: 'http://10.1.1.1:80' }, v2: { socket: '/a' }, v3: { process: 'blue', retire: 'asked' } },
      stable: 'v1',
    })
    fc.assert(fc.property(anyRecord, (given) => void misfitsOf(document, 'f', [readRecord(writeRecord(given)) ?? assert.fail()])))
  })
})
