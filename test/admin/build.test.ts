/** Which build a running baton says it is. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

test('the build that runs is told, also once another one lies in its place', async (t) => {
  const installed = mkdtempSync(join(tmpdir(), 'baton-build-'))
  t.after(() => rmSync(installed, { recursive: true }))
  const install = (version: string) => writeFileSync(join(installed, 'package.json'), JSON.stringify({ type: 'module', version }))
  mkdirSync(join(installed, 'src/admin'), { recursive: true })
  const copy = join(installed, 'src/admin/build.ts')
  cpSync(fileURLToPath(new URL('../../src/admin/build.ts', import.meta.url)), copy)
  install('1.2.3')
  const { buildVersion } = (await import(pathToFileURL(copy).href)) as typeof import('../../src/admin/build.ts')
  install('1.2.4')
  assert.equal(buildVersion(), '1.2.3')
})
