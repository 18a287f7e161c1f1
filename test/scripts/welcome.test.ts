import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const welcome = (...args: string[]) => spawnSync(process.execPath, [`${root}scripts/welcome.ts`, ...args], { encoding: 'utf8' })

describe('before it starts, npm says what to try', () => {
  test('npm start: each command at the head of config/baton.yaml, and how the cache is seen', () => {
    const { status, stdout } = welcome()
    assert.equal(status, 0)
    assert.match(stdout, /^ {2}curl localhost:8080\/api\/hello +v1/m)
    assert.match(stdout, /^ {2}curl -H 'x-canary: true' localhost:8080\/api\/hello +v2/m)
    assert.match(stdout, /npm run start:redis/)
  })

  test('npm run start:redis: each command at the head of config/redis.yaml', () => {
    const { status, stdout } = welcome('config/redis.yaml')
    assert.equal(status, 0)
    assert.match(stdout, /^ {2}curl localhost:8080\/catalogue /m)
    assert.match(stdout, /^ {2}npx baton upgrade --to v2 --wait/m)
    assert.match(stdout, /warm: \{ from: \[\] \}/)
  })

  test('it speaks of the file that is then run', () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> }
    assert.match(scripts.start ?? '', /-c config\/baton\.yaml$/)
    assert.match(scripts['start:redis'] ?? '', /-c config\/redis\.yaml$/)
    assert.match(scripts['prestart:redis'] ?? '', /welcome\.ts config\/redis\.yaml$/)
  })
})
