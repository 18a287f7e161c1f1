/** Which fields are looked at: each name in every case, and nothing that only looks like one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Field, field, fieldOf } from '../../src/proxy/field.ts'

const known: Readonly<Record<string, Field>> = {
  te: field.te,
  via: field.via,
  host: field.host,
  expect: field.expect,
  upgrade: field.upgrade,
  forwarded: field.forwarded,
  connection: field.connection,
  'keep-alive': field.hop,
  'proxy-connection': field.hop,
  'http2-settings': field.hop,
  'max-forwards': field.maxForwards,
  'content-length': field.contentLength,
  'transfer-encoding': field.transferEncoding,
  'x-forwarded-for': field.forwardedFor,
  'x-forwarded-host': field.forwardedHost,
  'x-forwarded-proto': field.forwardedProto,
  'baton-version': field.baton,
  'baton-x': field.baton,
}
const names = Object.keys(known)

test('each name is known in every case', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...names).chain((name) => fc.tuple(fc.constant(name), fc.mixedCase(fc.constant(name)))),
      ([name, given]) => {
        assert.equal(fieldOf(given), known[name], given)
      },
    ),
    { numRuns: 2_000, seed: 3 },
  )
})

test('a name that differs in one character, or has one more or less, is another', () => {
  const isKnown = (name: string) => name in known || /^baton-./.test(name)
  for (const name of names) {
    for (let at = 0; at < name.length; at += 1) {
      const without = name.slice(0, at) + name.slice(at + 1)
      if (!isKnown(without)) assert.equal(fieldOf(without), field.plain, without)
      for (const other of ['_', 'z', '\u00eb', ' ']) {
        const changed = name.slice(0, at) + other + name.slice(at + 1)
        if (!isKnown(changed)) assert.equal(fieldOf(changed), field.plain, changed)
        const longer = name.slice(0, at) + other + name.slice(at)
        if (!isKnown(longer)) assert.equal(fieldOf(longer), field.plain, longer)
      }
    }
  }
})

test('the names that apps use are plain', () => {
  for (const name of [
    '',
    'x',
    'cookie',
    'authorization',
    'batonx',
    'baton',
    'baton-',
    'x-baton-version',
    'baton_version',
    'trailer',
    'content-type',
  ])
    assert.equal(fieldOf(name), field.plain, name)
})

test('any text has a kind, and the same one in any case', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
      assert.equal(fieldOf(text), fieldOf(text.toLowerCase()))
      assert.equal(fieldOf(text), fieldOf(text.toUpperCase()))
    }),
    { seed: 3 },
  )
})
