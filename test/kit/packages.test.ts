import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findProgram, installCommand, needs } from './packages.ts'

/** With an empty PATH only the folders of servers are looked at, and `ps` is in none of them. */
function withEnvironment(change: Readonly<Record<string, string | undefined>>, run: () => void): void {
  const before = { ...process.env }
  Object.assign(process.env, change)
  if (change.CI === undefined) delete process.env.CI
  try {
    run()
  } finally {
    process.env = before
  }
}

describe('packages that tests need', () => {
  test('a program that is there is found and skips nothing', () => {
    assert.match(findProgram('ps') ?? '', /\/ps$/)
    assert.equal(needs('ps'), false)
  })

  test('a missing program skips with the command that installs it', () => {
    withEnvironment({ PATH: '/nowhere', CI: undefined }, () => {
      assert.equal(needs('ps'), 'needs ps: sudo apt-get install --no-install-recommends procps')
    })
  })

  test('where CI=true a missing program is a failure', () => {
    withEnvironment({ PATH: '/nowhere', CI: 'true' }, () => assert.throws(() => needs('ps'), /needs ps/))
  })

  test('two programs of one package are installed once', () => {
    assert.equal(installCommand(['taskset', 'unshare', 'nginx']), 'sudo apt-get install --no-install-recommends nginx-light util-linux')
  })
})
