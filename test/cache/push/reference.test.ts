import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { limits } from '../../../src/cache/push/wire.ts'

const page = readFileSync(new URL('../../../docs/reference/push.md', import.meta.url), 'utf8')
const receiver = readFileSync(new URL('../../../src/cache/client/receiver.ts', import.meta.url), 'utf8')

test('the contract has the limits that the code keeps, and every reason for a resync', () => {
  for (const [name, limit] of Object.entries(limits)) assert.ok(page.includes(limit.toLocaleString('en')), name)
  const reasons = [...receiver.matchAll(/#resync\('(\w+)'\)/g)].map(([, reason]) => reason ?? '')
  assert.equal(reasons.length, 4)
  for (const reason of reasons) assert.ok(page.includes(`\`${reason}\``), reason)
})
