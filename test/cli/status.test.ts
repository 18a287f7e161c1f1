import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { age } from '../../src/cli/age.ts'
import { type Baton, batonPath, nodePath, runBaton, startBaton } from '../kit/baton.ts'
import { freePort } from '../kit/free-ports.ts'
import { needs } from '../kit/packages.ts'
import { spawnInTerminal } from '../kit/terminal.ts'

const dir = mkdtempSync(join(tmpdir(), 'baton-status-'))
const tokenFile = join(dir, 'token')
const apps: http.Server[] = []
let baton: Baton
let adminPort = 0

before(async () => {
  for (const name of ['v1', 'v2']) {
    const app = http.createServer((_, response) => response.end(name)).listen(0, '127.0.0.1')
    await once(app, 'listening')
    apps.push(app)
  }
  writeFileSync(tokenFile, 'a-token-that-is-long-enough-for-everybody\n')
  chmodSync(tokenFile, 0o600)
  adminPort = await freePort()
  const [v1, v2] = apps.map((app) => {
    const address = app.address()
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  })
  baton = await startBaton({
    dir,
    config: {
      bootstrap: { admin: { address: `127.0.0.1:${adminPort}`, tokenFile } },
      versions: { v1: { url: v1 }, v2: { url: v2 } },
      stable: 'v1',
      candidate: 'v2',
      routes: [{ name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate', fallback: 'stable' }],
    },
  })
  await baton.ready()
})

after(async () => {
  await baton[Symbol.asyncDispose]()
  for (const app of apps) app.close().closeAllConnections()
  rmSync(dir, { recursive: true, force: true })
})

const url = () => `http://127.0.0.1:${adminPort}`

describe('baton status', () => {
  test('finds baton in ./.baton, and shows roles, versions and configuration', async () => {
    const { code, stdout, stderr } = await runBaton(['status'], { cwd: dir })
    assert.equal(stderr, '')
    assert.match(stdout, /^baton \d+\.\d+\.\d+ {2}ready, pid \d+, keeper \d+, up \d+s$/m)
    assert.match(stdout, /^config {2}\S*baton\.yaml, revision \d+, applied \d{4}-/m)
    assert.match(stdout, /^VERSION +ROLE +PROBE/m)
    assert.match(stdout, /^v1 +stable +ready/m)
    assert.match(stdout, /^v2 +candidate +/m)
    assert.equal(code, 0)
  })

  test('finds baton in $BATON_STATE, and by --admin PATH', async () => {
    const byState = await runBaton(['status'], { cwd: '/', env: { BATON_STATE: join(dir, '.baton') } })
    assert.equal(byState.code, 0)
    const byPath = await runBaton(['status', '--admin', baton.adminSocket], { cwd: '/' })
    assert.equal(byPath.code, 0)
  })

  test('by --admin URL with the token of a file or of BATON_ADMIN_TOKEN; a wrong one is one line, exit 1', async () => {
    const byFile = await runBaton(['status', '--admin', url(), '--token-file', tokenFile])
    assert.equal(byFile.stderr, '')
    assert.match(byFile.stdout, /^v1 +stable/m)
    const byEnv = await runBaton(['status', '--admin', url()], { env: { BATON_ADMIN_TOKEN: 'a-token-that-is-long-enough-for-everybody' } })
    assert.equal(byEnv.code, 0)
    const wrong = await runBaton(['status', '--admin', url()], { env: { BATON_ADMIN_TOKEN: 'another' } })
    assert.match(wrong.stderr, /^baton: [^\n]*says 401[^\n]*\n$/)
    assert.equal(wrong.code, 1)
  })

  test('--json is the whole answer of the API', async () => {
    const { stdout } = await runBaton(['status', '--json'], { cwd: dir })
    assert.equal(stdout.trim().split('\n').length, 1)
    const { baton: self, versions } = JSON.parse(stdout)
    assert.equal(self.keeperPid, baton.keeperPid)
    assert.deepEqual(
      versions.map(({ name }: { name: string }) => name),
      ['v1', 'v2'],
    )
  })

  test('a refused configuration is shown', async () => {
    await baton.admin('PUT', '/v1/config', 'versions: [')
    const { stdout } = await runBaton(['status'], { cwd: dir })
    assert.match(stdout, /^refused \d{4}-.*: /m)
  })

  test('--watch without a terminal: an event a line, as JSON', async () => {
    const child = spawn(nodePath, [batonPath, 'status', '--watch'], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    assert.equal(typeof JSON.parse(String(line)).event, 'string')
    child.kill('SIGKILL')
    await once(child, 'exit')
  })

  test('--watch on a terminal: drawn again', { skip: needs('script') }, async () => {
    const child = spawnInTerminal([nodePath, batonPath, 'status', '--watch'], { cwd: dir })
    let drawn = ''
    child.stdout.on('data', (chunk) => (drawn += chunk))
    while (drawn.split('\u001b[H\u001b[2J').length < 4) await once(child.stdout, 'data')
    assert.match(drawn, /VERSION +ROLE/)
    child.kill('SIGKILL')
    await once(child, 'exit')
  })

  test('an answer that is no status is one line, exit 1', async () => {
    const socketPath = join(dir, 'other.sock')
    const other = http.createServer((_, response) => response.end('{"hello":1}')).listen(socketPath)
    await once(other, 'listening')
    const { code, stderr } = await runBaton(['status', '--admin', socketPath])
    other.close().closeAllConnections()
    assert.match(stderr, /^baton: [^\n]*no status that this command understands[^\n]*\n$/)
    assert.equal(code, 1)
  })

  test('an age is told in its largest unit', () => {
    assert.deepEqual([-5, 0, 59_999, 60_000, 3_600_000, 90_000_000].map(age), ['0s', '0s', '59s', '1m', '1h', '1d'])
  })
})

describe('baton route', () => {
  test('asks the running baton', async () => {
    const stable = await runBaton(['route', '/api'], { cwd: dir })
    assert.match(stable.stdout, /^v1\n {2}no route claimed it/)
    const canary = await runBaton(['route', '-H', 'x-canary: true', '/api'], { cwd: dir })
    assert.match(canary.stdout, /^v2\n {2}route canary claimed it/)
    assert.equal(canary.code, 0)
  })

  test('--json is the explanation of the API', async () => {
    const { stdout } = await runBaton(['route', '--json', '/api'], { cwd: dir })
    assert.equal(JSON.parse(stdout).decision.version, 'v1')
  })
})
