import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson, compileSnapshot, hashOf } from '../../src/config/compile.ts'
import { minimal, parse } from './fixture.ts'

const two = 'versions: { v1: { url: "http://127.0.0.1:1" }, v2: { url: "http://127.0.0.1:2" } }\nstable: v1\n'

function compile(text: string) {
  const { bootstrap, dynamic } = parse(text)
  return compileSnapshot(bootstrap, dynamic, 7)
}

test('a snapshot knows its revision and cannot be changed', () => {
  const snapshot = compile(minimal)
  assert.equal(snapshot.revision, 7)
  assert.ok(Object.isFrozen(snapshot))
})

test('the candidate’s name is the salt, else stable’s', () => {
  assert.deepEqual(compile(`${two}candidate: v2`).roles, { stable: 'v1', candidate: 'v2', salt: 'v2', weight: 0 })
  assert.deepEqual(compile(two).roles, { stable: 'v1', candidate: null, salt: 'v1', weight: 0 })
})

test('the router decides by the routes of the configuration', () => {
  const { router } = compile(`${two}candidate: v2\nroutes: [{ name: canary, match: { headers: { X-Canary: "true" } }, to: candidate }]`)
  const request = { method: 'GET', target: '/', host: '', raw: ['X-CANARY', 'true'], client: '127.0.0.1' }
  assert.equal(router.decide(request, () => 0).version, 'v2')
  assert.equal(router.decide({ ...request, raw: [] }, () => 0).version, 'v1')
})

test('texts that mean the same have the same hash, and others another', () => {
  const hash = (text: string) => hashOf(parse(text).dynamic)
  assert.match(hash(minimal), /^[0-9a-f]{64}$/)
  assert.equal(
    hash(minimal),
    hash(`# comment\nstable: 'v1'\ntimeouts: { connect: 5000ms }\nversions:\n  v1:\n    url: http://127.0.0.1:3001/`),
  )
  assert.equal(hash(minimal), hash(`bootstrap: { state: other }\n${minimal}`))
  assert.notEqual(hash(minimal), hash(`${minimal}timeouts: { connect: 5001ms }`))
})

test('canonical JSON has its keys in order, at every depth, and lists as they are', () => {
  assert.equal(canonicalJson({ b: [{ d: 1, c: 2 }, 1], a: null }), '{"a":null,"b":[{"c":2,"d":1},1]}')
})
