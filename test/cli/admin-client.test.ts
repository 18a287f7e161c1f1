import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../../src/cli/admin-client.ts'
import { BatonError } from '../../src/errors.ts'

test('what cannot be reached is named as it is written in a URL, an IPv6 address in brackets', async () => {
  const asked = ask({ is: 'tcp', host: '::1', port: 1, token: 'secret' }, { method: 'GET', path: '/v1/status' })
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof BatonError)
    assert.equal(error.code, 'unreachable')
    assert.match(error.message, /^http:\/\/\[::1\]:1: /)
    return true
  })
})
