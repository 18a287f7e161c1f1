import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { requestOf } from '../../src/cli/route.ts'

describe("the host of baton route is read as the data plane reads a request's", () => {
  const cases: readonly (readonly [given: string, host: string])[] = [
    ['New.Example:8080', 'new.example'],
    ['new.example:', 'new.example'],
    ['[::1]:8080', '::1'],
    ['[::1]', '::1'],
    ['::1', '::1'],
    ['', ''],
  ]
  for (const [given, host] of cases) {
    test(`--host '${given}' → '${host}'`, () => assert.equal(requestOf('/', { host: given }).host, host))
  }
  test('of a URL', () => assert.equal(requestOf('http://[::1]:8080/x', {}).host, '::1'))
  test('of a header', () => assert.equal(requestOf('/', { header: ['Host: [::1]:8080'] }).host, '::1'))
})
