import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostOf } from '../../src/routing/host.ts'

test('hostOf gives the host in lower case, without port and brackets', () => {
  const rows = {
    'example.com': 'example.com',
    'Example.COM:8080': 'example.com',
    'example.com:': 'example.com',
    '192.0.2.1:80': '192.0.2.1',
    '[2001:DB8::1]:443': '2001:db8::1',
    '[::1]': '::1',
    '::1': '::1',
    '[::1': '[::1',
    '': '',
    ':80': '',
  }
  for (const [authority, host] of Object.entries(rows)) assert.equal(hostOf(authority), host, authority)
})
