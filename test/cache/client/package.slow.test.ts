/** `baton-proxy/cache` as an app has it: built, packed, with its types, and without what baton needs itself. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nodePath } from '../../kit/baton.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

test('an app imports it with its types, and gets lru-cache alone with it', (t) => {
  const app = mkdtempSync(join(tmpdir(), 'baton-package-'))
  t.after(() => rmSync(app, { recursive: true, force: true }))
  const modules = join(app, 'node_modules')
  const own = join(modules, 'baton-proxy')
  mkdirSync(join(modules, '@types'), { recursive: true })
  mkdirSync(own)
  const tsc = join(root, 'node_modules/.bin/tsc')
  run(tsc, ['-p', 'tsconfig.build.json', '--outDir', join(own, 'dist')], root)
  const packed = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }
  assert.ok(packed.files.includes('dist'))
  writeFileSync(join(own, 'package.json'), JSON.stringify({ ...packed, scripts: {} }))
  symlinkSync(join(root, 'node_modules/lru-cache'), join(modules, 'lru-cache'))
  for (const types of ['@types/node', 'undici-types']) symlinkSync(join(root, 'node_modules', types), join(modules, types))

  const lines = [
    "import { createServer } from 'node:http'",
    "import { type Cache, createCache } from 'baton-proxy/cache'",
    'const cache: Cache = createCache({ max: 50_000 })',
    'export const server = createServer((req, res) => cache.handle(req, res) || res.end())',
    "const value: string | null = await cache.get('k', async (key) => 'loaded '.concat(key))",
    "const written: number = await cache.write('k', async () => 1)",
    'console.log(value, written)',
  ]
  writeFileSync(join(app, 'package.json'), '{"type":"module"}')
  writeFileSync(join(app, 'app.ts'), lines.join('\n'))
  run(tsc, ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node', 'app.ts'], app)
  assert.equal(run(nodePath, ['app.ts'], app), 'loaded k 1\n')
})
