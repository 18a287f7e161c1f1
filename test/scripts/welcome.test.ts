import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('npm start says what to try: each command at the head of config/baton.yaml', () => {
  const script = fileURLToPath(new URL('../../scripts/welcome.ts', import.meta.url))
  const { status, stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
  assert.equal(status, 0)
  assert.match(stdout, /^ {2}curl localhost:8080\/api\/hello +v1/m)
  assert.match(stdout, /^ {2}curl -H 'x-canary: true' localhost:8080\/api\/hello +v2/m)
})
