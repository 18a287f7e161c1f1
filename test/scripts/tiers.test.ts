import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { programsNeeded, selectTests } from '../../scripts/tiers.ts'

const files = [
  'test/routing/match.test.ts',
  'test/config/large.slow.test.ts',
  'test/e2e/swap.test.ts',
  'test/keeper/crash.test.ts',
  'test/bench/table.test.ts',
  'test/system/fresh-clone.test.ts',
  'test/fleet/upgrade.system.test.ts',
  'test/soak/gigabyte.test.ts',
  'test/kit/packages.ts',
  'src/errors.ts',
]

describe('tiers of tests', () => {
  test('all is every test but system and soak', () => {
    assert.deepEqual(selectTests('all', files), [
      'test/bench/table.test.ts',
      'test/config/large.slow.test.ts',
      'test/e2e/swap.test.ts',
      'test/keeper/crash.test.ts',
      'test/routing/match.test.ts',
    ])
  })

  test('quick leaves out what is slow by folder or by name', () => {
    assert.deepEqual(selectTests('quick', files), ['test/routing/match.test.ts'])
  })

  test('soak is a folder; system is one, and what is named so beside what it mirrors', () => {
    assert.deepEqual(selectTests('system', files), ['test/fleet/upgrade.system.test.ts', 'test/system/fresh-clone.test.ts'])
    assert.deepEqual(selectTests('soak', files), ['test/soak/gigabyte.test.ts'])
  })

  test("a test's needs are read from its text", () => {
    const call = 'needs' // spelt apart, so that this file is not taken to need them
    assert.deepEqual(programsNeeded(`{ skip: ${call}('nginx') }, { skip: ${call}('wrk', 'ps') }`), ['nginx', 'wrk', 'ps'])
    assert.deepEqual(programsNeeded('it needs nothing'), [])
  })

  test('the node that a test finds in its PATH is the one that runs it', () => {
    assert.equal(spawnSync('node', ['-p', 'process.execPath'], { encoding: 'utf8' }).stdout.trim(), process.execPath)
  })

  test('an unknown tier is a usage error, and so is a path that no file has', () => {
    const script = fileURLToPath(new URL('../../scripts/test.ts', import.meta.url))
    const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
    assert.equal(run('everything').status, 2)
    const nothing = run('all', 'no/such/path')
    assert.equal(nothing.status, 2)
    assert.match(nothing.stdout, /No test file of the tier all has no\/such\/path/)
  })
})
