import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

function passes(program: string, args: readonly string[]): void {
  const run = spawnSync(`${root}node_modules/.bin/${program}`, args, { cwd: root, encoding: 'utf8' })
  assert.equal(run.status, 0, `${program} ${args.join(' ')}\n${run.stdout}${run.stderr}`)
}

test('every file passes the type check', () => passes('tsc', ['--noEmit']))
test('every file passes lint and is formatted', () => passes('biome', ['check', '--error-on-warnings', '--diagnostic-level=warn', '.']))
