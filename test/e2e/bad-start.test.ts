/** What keeps baton from starting is said in a line, or a line per fault, without a stack; exit code 2. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { runBaton, startBaton } from '../kit/baton.ts'

const dir = mkdtempSync(join(tmpdir(), 'baton-bad-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const app = 'versions: { v1: { url: http://127.0.0.1:1 } }\nstable: v1\n'

/** The lines that `baton …` says on stderr; all else of a bad start is checked here. */
async function refused(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const { code, signal, stdout, stderr } = await runBaton(args, { cwd: dir, env: { BATON_STATE: join(dir, 'state'), ...env } })
  assert.deepEqual([code, signal, stdout], [2, null, ''], stderr)
  assert.ok(stderr.endsWith('\n'))
  assert.ok(!/^\s+at /m.test(stderr), `a stack trace: ${stderr}`)
  assert.ok(!existsSync(join(dir, 'state')), 'a state folder')
  return stderr.trimEnd().split('\n')
}

function file(name: string, text: string): string {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}

async function occupied(): Promise<{ port: number; close(): void }> {
  const server = net.createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, close: () => void server.close() }
}

describe('a bad start', () => {
  for (const [what, args, line] of [
    ['an unknown command', ['serve'], /^baton: .*"serve".*/],
    ['a misspelt command', ['rnu'], /run/],
    ['an unknown option', ['run', '--confg', 'x'], /--confg/],
    ['a missing option', ['run'], /-c FILE/],
    ['a missing file', ['run', '-c', 'nothing.yaml'], /nothing\.yaml/],
    ['a file that cannot be read (a folder)', ['run', '-c', '/tmp'], /\/tmp/],
  ] as const) {
    test(what, async () => {
      const lines = await refused(args)
      assert.match(lines[0] ?? '', line)
      assert.ok(lines.length <= 3, lines.join('\n'))
    })
  }

  test('YAML that is none: each place once', async () => {
    const lines = await refused(['run', '-c', file('broken.yaml', 'versions: { v1: { url: http://127.0.0.1:1 }\nstable: v1\n')])
    assert.match(lines[0] ?? '', /broken\.yaml:\d+:\d+/)
    assert.ok(lines.length <= 3, lines.join('\n'))
  })

  test('many faults: a line each, with its place', async () => {
    const text = `${app}candidate: v3\nroutes: [{ name: a, to: v4 }, { name: a, to: v1 }]\ntimeouts: { head: 10 }\nstabel: v1\n`
    const lines = await refused(['run', '-c', file('faults.yaml', text)])
    assert.ok(lines.length >= 5, lines.join('\n'))
    for (const line of lines) assert.match(line, /^\S*faults\.yaml:\d+:\d+ \S+: found .*, expected /)
  })

  test('the public port or the metrics port is occupied', async () => {
    const other = await occupied()
    const free = '127.0.0.1:0'
    try {
      for (const [name, listeners] of [
        ['public', { public: { address: `127.0.0.1:${other.port}` }, metrics: { address: free } }],
        ['metrics', { public: { address: free }, metrics: { address: `127.0.0.1:${other.port}` } }],
      ] as const) {
        const start = startBaton({ config: { bootstrap: { listeners }, versions: { v1: { url: 'http://127.0.0.1:1' } }, stable: 'v1' } })
        await assert.rejects(start, (error: Error) => {
          const lines = error.message.trim().split('\n').slice(1)
          assert.deepEqual(lines, [
            `baton: listener ${name}: cannot bind 127.0.0.1:${other.port}: in use by another process; stop it, or configure another port`,
          ])
          return true
        })
      }
    } finally {
      other.close()
    }
  })

  test('ports that clash within the configuration', async () => {
    const bootstrap = 'bootstrap: { listeners: { public: { address: 127.0.0.1:4000 }, metrics: { address: 127.0.0.1:4000 } } }\n'
    const lines = await refused(['run', '-c', file('clash.yaml', `${bootstrap}${app}`)])
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /clash\.yaml:1:\d+ .*4000/)
  })

  test('a state folder that another baton serves from', async () => {
    await using first = await startBaton({ config: { versions: { v1: { url: 'http://127.0.0.1:1' } }, stable: 'v1' } })
    const { code, stderr } = await runBaton(['run', '-c', first.configFile], { cwd: first.dir })
    assert.equal(code, 2)
    assert.match(stderr, new RegExp(`^baton: [^\n]*pid ${first.keeperPid} already serves[^\n]*\n$`))
    assert.equal((await first.admin('GET', '/v1/status')).status, 200)
  })

  test('an admin token that others can read: one line, exit 1', async () => {
    const tokenFile = file('token', 'a-token-that-is-long-enough\n')
    chmodSync(tokenFile, 0o644)
    const config = {
      bootstrap: { admin: { address: '127.0.0.1:0', tokenFile } },
      versions: { v1: { url: 'http://127.0.0.1:1' } },
      stable: 'v1',
    }
    await assert.rejects(startBaton({ config }), (error: Error) => {
      const lines = error.message.trim().split('\n').slice(1)
      assert.equal(lines.length, 1, error.message)
      assert.match(lines[0] ?? '', /tokenFile .*mode is 644, expected 600/)
      return true
    })
  })
})
