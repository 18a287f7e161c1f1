/** Which files are taken for a secret. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { readSecret } from '../../src/config/secret-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

const secret = '0123456789abcdef'

async function file(t: TestContext, text: string, mode: number): Promise<string> {
  const path = join(await temporaryFolder(t), 'secret')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

/** The file is named, its content never. */
const refused = (path: string, message: RegExp, minCharacters?: number) =>
  assert.rejects(readSecret(path, minCharacters), (error) => {
    assert.ok(error instanceof Error)
    assert.match(error.message, message)
    assert.ok(error.message.includes(path))
    assert.ok(!error.message.includes(secret))
    return true
  })

describe('a secret’s file', () => {
  test('is read without the white space around it', async (t) => {
    assert.equal(await readSecret(await file(t, `\n${secret}\n`, 0o600)), secret)
    assert.equal(await readSecret(await file(t, secret, 0o400)), secret)
  })

  for (const mode of [0o604, 0o640, 0o644, 0o660, 0o610])
    test(`that others may use (${mode.toString(8)}) is refused, with what to do`, async (t) => {
      await refused(await file(t, secret, mode), new RegExp(`mode is ${mode.toString(8)}, expected 600 \\(chmod 600 `))
    })

  test('that is not there, empty or too short is refused', async (t) => {
    await refused(join(await temporaryFolder(t), 'none'), /ENOENT/)
    await refused(await file(t, '', 0o600), /0 characters/)
    await refused(await file(t, 'short', 0o600), /5 characters, expected at least 16/)
  })

  test('may be as short as who asks for it says, and no shorter', async (t) => {
    assert.equal(await readSecret(await file(t, 'short\n', 0o600), 5), 'short')
    await refused(await file(t, 'short', 0o600), /5 characters, expected at least 6/, 6)
    await refused(await file(t, '\n', 0o600), /0 characters, expected at least 1$/, 1)
  })

  test('that is a pipe to which nobody writes is refused, and holds nothing up', async (t) => {
    const pipe = join(await temporaryFolder(t), 'secret')
    execFileSync('mkfifo', ['-m', '600', pipe])
    await refused(pipe, /is not a file/)
  })
})
