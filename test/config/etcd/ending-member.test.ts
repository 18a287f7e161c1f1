/** A member that ends has two ways to say so; neither is a refusal. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EtcdRefusal, failureOf } from '../../../src/config/etcd/refusal.ts'

test('what a member says while it ends sends the client to the next one', () => {
  for (const answer of [
    { error: 'grpc: the client connection is closing', code: 1 },
    { error: 'transport is closing', code: 14 },
  ]) {
    const failure = failureOf(503, JSON.stringify(answer))
    assert.ok(failure instanceof EtcdRefusal && failure.elsewhere, answer.error)
  }
})
