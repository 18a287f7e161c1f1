import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { runBaton } from '../kit/baton.ts'

const dir = mkdtempSync(join(tmpdir(), 'baton-check-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const right = `bootstrap:
  listeners: { public: { address: 127.0.0.1:18080 }, metrics: { address: 127.0.0.1:19902 } }
versions: { v1: { url: http://127.0.0.1:3001 }, v2: { url: http://127.0.0.1:3002 } }
stable: v1
candidate: v2
routes:
  - { name: canary, match: { headers: { x-canary: "true" }, method: POST }, to: candidate, fallback: stable }
  - { name: by-host, match: { host: { exact: new.example } }, to: v2 }
  - { name: office, match: { client: [10.0.0.0/8] }, to: v2 }
`
writeFileSync(join(dir, 'right.yaml'), right)
writeFileSync(join(dir, 'wrong.yaml'), right.replace('candidate: v2', 'candidat: v2').replace('10.0.0.0/8', '10.0.0.0/99'))

const baton = (...args: string[]) => runBaton(args, { cwd: dir })

describe('baton check', () => {
  test('a right file: exit 0', async () => {
    const { code, stdout, stderr } = await baton('check', 'right.yaml')
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'right.yaml: right\n', stderr: '' })
  })

  test('all faults of a wrong one, a line each on stderr, exit 2', async () => {
    const { code, stdout, stderr } = await baton('check', 'wrong.yaml')
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^wrong\.yaml:5:1 .*candidat.*candidate/m)
    assert.match(stderr, /^wrong\.yaml:9:.*10\.0\.0\.0\/99/m)
  })

  test('--json: the faults on stdout, nothing on stderr', async () => {
    const wrong = await baton('check', '--json', 'wrong.yaml')
    assert.equal(wrong.code, 2)
    assert.equal(wrong.stderr, '')
    const { ok, faults } = JSON.parse(wrong.stdout)
    assert.equal(ok, false)
    assert.ok(faults.length >= 2)
    assert.deepEqual(Object.keys(faults[0]).sort(), ['column', 'expected', 'found', 'hint', 'line', 'path', 'reason', 'source'])
    const fine = await baton('check', '--json', 'right.yaml')
    assert.deepEqual(JSON.parse(fine.stdout), { ok: true, faults: [] })
  })
})

describe('baton schema', () => {
  test('prints the JSON Schema of a file', async () => {
    const { code, stdout } = await baton('schema')
    assert.equal(code, 0)
    const schema = JSON.parse(stdout)
    assert.ok('bootstrap' in schema.properties && 'versions' in schema.properties)
  })
})

describe('baton listeners', () => {
  test('prints what the keeper binds: public, metrics, and the admin socket in the state folder', async () => {
    const { code, stdout } = await baton('listeners', '-c', 'right.yaml')
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout), {
      v: 1,
      state: join(dir, '.baton'),
      listeners: [
        { name: 'public', host: '127.0.0.1', port: 18080 },
        { name: 'metrics', host: '127.0.0.1', port: 19902 },
        { name: 'admin', path: join(dir, '.baton/admin.sock'), mode: 0o600 },
      ],
    })
  })

  test('prints a listener for each gateway, a socket with the mode that it shall have', async () => {
    const gateways = '{ v1: { address: "unix:/run/app/r1.sock", mode: "0660" }, v2: { address: "127.0.0.1:6392" } }'
    const text = right.replace('bootstrap:\n', `bootstrap:\n  redis: { url: "redis://127.0.0.1", gateways: ${gateways} }\n`)
    writeFileSync(join(dir, 'gateways.yaml'), text)
    const { stdout, stderr } = await baton('listeners', '-c', 'gateways.yaml')
    assert.equal(stderr, '')
    assert.deepEqual(JSON.parse(stdout).listeners.slice(3), [
      { name: 'redis-v1', path: '/run/app/r1.sock', mode: 0o660 },
      { name: 'redis-v2', host: '127.0.0.1', port: 6_392 },
    ])
  })

  test('BATON_STATE overrides the state folder', async () => {
    const { stdout } = await runBaton(['listeners', '-c', 'right.yaml'], { cwd: dir, env: { BATON_STATE: join(dir, 'other') } })
    assert.equal(JSON.parse(stdout).state, join(dir, 'other'))
  })
})

describe('baton route -c FILE', () => {
  const cases: readonly (readonly [args: readonly string[], version: string, reason: RegExp])[] = [
    [['/'], 'v1', /no route claimed it/],
    [['-X', 'POST', '-H', 'x-canary: true', '/a?b=c'], 'v2', /route canary claimed it/],
    [['-H', 'x-canary: true', '/'], 'v1', /no route claimed it/],
    [['--host', 'NEW.example:8080', '/'], 'v2', /route by-host/],
    [['-H', 'Host: new.example', '/'], 'v2', /route by-host/],
    [['http://new.example:8080/x'], 'v2', /route by-host/],
    [['--client', '10.1.2.3', '/'], 'v2', /route office/],
  ]
  for (const [args, version, reason] of cases) {
    test(`${args.join(' ')} → ${version}`, async () => {
      const { code, stdout, stderr } = await baton('route', '-c', 'right.yaml', ...args)
      assert.equal(stderr, '')
      assert.equal(stdout.split('\n', 1)[0], version)
      assert.match(stdout, reason)
      assert.equal(code, 0)
    })
  }

  test('--json prints the whole explanation', async () => {
    const { stdout } = await baton('route', '-c', 'right.yaml', '--json', '/')
    const explanation = JSON.parse(stdout)
    assert.equal(explanation.decision.version, 'v1')
    assert.deepEqual(
      explanation.routes.map((route: { route: string; matched: boolean }) => [route.route, route.matched]),
      [
        ['canary', false],
        ['by-host', false],
        ['office', false],
      ],
    )
  })

  test('a wrong file: its faults, exit 2', async () => {
    const { code, stderr } = await baton('route', '-c', 'wrong.yaml', '/')
    assert.equal(code, 2)
    assert.match(stderr, /^wrong\.yaml:5:1 /m)
  })
})
