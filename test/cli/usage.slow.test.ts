import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { commands } from '../../src/cli/commands.ts'
import { batonPath, nodePath, runBaton } from '../kit/baton.ts'

const dir = mkdtempSync(join(tmpdir(), 'baton-cli-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const openToken = join(dir, 'open-token')
writeFileSync(openToken, 'secret')
chmodSync(openToken, 0o644)

/** Arguments → exit code and the one line on stderr. */
const wrong: readonly (readonly [args: string, code: number, line: RegExp])[] = [
  ['', 2, /a command is missing; "baton help" lists them/],
  ['chek', 2, /unknown command "chek", did you mean "check"\?/],
  ['STATUS', 2, /unknown command "STATUS", did you mean "status"\?/],
  ['listner', 2, /unknown command "listner"; "baton help" lists them/],
  ['toString', 2, /unknown command "toString"/],
  ['frobnicate', 2, /unknown command "frobnicate"; "baton help" lists them/],
  ['run', 2, /-c FILE is missing; usage: baton run -c FILE/],
  ['run -c', 2, /-c, --config <value>' argument missing; usage: baton run/],
  ['run --confg x', 2, /unknown option --confg, did you mean --config\?/],
  ['run -c a.yaml extra', 2, /one argument too many: "extra"; usage: baton run/],
  ['run -c missing.yaml', 2, /missing\.yaml: found no such file/],
  ['check', 2, /FILE is missing; usage: baton check/],
  ['check missing.yaml', 2, /missing\.yaml: found no such file/],
  ['check .', 2, /\.: found a folder/],
  ['check /dev/zero', 2, /at most 1048576 bytes/],
  ['check --jsn a', 2, /unknown option --jsn, did you mean --json\?/],
  ['check --json=yes a', 2, /--json' does not take an argument/],
  ['schema now', 2, /one argument too many: "now"/],
  ['version --json', 2, /unknown option --json; usage: baton version/],
  ['help --all', 2, /unknown option --all/],
  ['listeners', 2, /-c FILE is missing/],
  ['generation', 2, /a generation is started by baton itself: use "baton run -c FILE"/],
  ['status', 1, /\.baton\/admin\.sock: no baton answers there; is it running\?/],
  ['status --admin nowhere.sock', 1, /nowhere\.sock: no baton answers there/],
  ['status --watch --admin nowhere.sock', 1, /nowhere\.sock: no baton answers there/],
  ['status --admin http://127.0.0.1:1', 2, /an admin URL needs a token: --token-file FILE, or BATON_ADMIN_TOKEN/],
  ['status --admin ftp://127.0.0.1', 2, /expected a path, or a URL like http:\/\/127\.0\.0\.1:9901/],
  ['status --admin http://127.0.0.1:1/v1 --token-file x', 2, /expected a path, or a URL/],
  ['status --admin http://127.0.0.1:1 --token-file missing', 2, /--token-file missing: ENOENT/],
  [`status --admin http://127.0.0.1:1 --token-file ${openToken}`, 2, /other users can read it; chmod 0600/],
  ['route', 2, /TARGET is missing; usage: baton route/],
  ['route api', 2, /TARGET "api": expected a path that begins with \/, or a URL/],
  ['route /a /b', 2, /one argument too many: "\/b"/],
  ['route -H x-canary /a', 2, /-H "x-canary": expected 'name: value'/],
  ['route --hots x /a', 2, /unknown option --hots, did you mean --host\?/],
  ['route -c missing.yaml /a', 2, /missing\.yaml: found no such file/],
  ['route /a', 1, /no baton answers there/],
  ['cache', 2, /which one\? baton cache stats, warm, flush or explain/],
  ['cache stat', 2, /unknown command "cache stat"/],
  ['cache warm', 2, /NAME is missing; usage: baton cache warm NAME/],
  ['cache explain', 2, /KEY is missing; usage: baton cache explain KEY/],
  ['cache flush now', 2, /one argument too many: "now"/],
  ['cache stats', 1, /no baton answers there/],
  ['upgrade', 2, /--to NAME is missing; usage: baton upgrade --to NAME/],
  ['upgrade v2', 2, /one argument too many: "v2"/],
  ['upgrade --to v2 --wait --json', 2, /--wait and --json exclude each other/],
  ['upgrade --to v2', 1, /no baton answers there/],
  ['promote v2', 2, /one argument too many: "v2"; usage: baton promote/],
  ['promote --force', 2, /unknown option --force/],
  ['stable', 2, /NAME is missing; usage: baton stable NAME/],
  ['drain --forse v1', 2, /unknown option --forse, did you mean --force\?/],
  ['undrain', 2, /NAME is missing; usage: baton undrain NAME/],
  ['retire v1', 1, /no baton answers there/],
  ['explain', 2, /ID is missing; usage: baton explain ID/],
  ['explain x --json --markdown', 2, /--json and --markdown exclude each other/],
  ['history', 1, /no baton answers there/],
]

describe('a wrong call is one line on stderr, with its exit code, and nothing on stdout', { concurrency: 2 }, () => {
  for (const [args, code, line] of wrong) {
    test(`baton ${args.replace(dir, 'DIR')}`, async () => {
      const result = await runBaton(args === '' ? [] : args.split(' '), { cwd: dir })
      assert.match(result.stderr, line)
      assert.match(result.stderr, /^[^\n]+\n$/)
      assert.equal(result.stdout, '')
      assert.equal(result.code, code)
    })
  }

  test('nothing of it makes a state folder', () => assert.equal(existsSync(join(dir, '.baton')), false))
})

describe('help and version', () => {
  test('baton help lists every command that people use, and no other', async () => {
    const { stdout, code } = await runBaton(['help'])
    assert.equal(code, 0)
    const listed = [...stdout.matchAll(/^ {2}(\w+)/gm)].map((match) => match[1])
    const shown = Object.keys(commands).filter((name) => commands[name]?.hidden !== true)
    assert.deepEqual(listed, shown)
  })

  for (const name of Object.keys(commands)) {
    test(`baton ${name} --help shows its usage`, async () => {
      const { stdout, stderr, code } = await runBaton([name, '--help'])
      assert.ok(stdout.startsWith(`usage: baton ${name}`))
      assert.equal(stderr, '')
      assert.equal(code, 0)
    })
  }

  test('--help, -h, --version and -v are the commands of that name', async () => {
    const [help, h, version, v] = await Promise.all(['--help', '-h', '--version', '-v'].map((flag) => runBaton([flag])))
    assert.equal(help?.stdout, h?.stdout)
    assert.match(help?.stdout ?? '', /^usage: baton COMMAND/)
    assert.equal(version?.stdout, v?.stdout)
    assert.match(version?.stdout ?? '', /^baton \d+\.\d+\.\d+ /)
  })
})

describe('bin/baton.js', () => {
  test('says in one line when Node is too old: found version, what is needed, and how to get it', async () => {
    // This Node, without the class that makes the difference.
    const child = spawn(nodePath, [
      '--import',
      'data:text/javascript,import net from "node:net";delete net.BoundSocket',
      batonPath,
      'version',
    ])
    const [stderr, stdout, [code]] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'exit')])
    assert.match(stderr, new RegExp(`^baton: this is Node.js ${process.versions.node}; baton needs 24\\.21[^\n]*npm start[^\n]*\n$`))
    assert.equal(stdout, '')
    assert.equal(code, 2)
  })
})

describe('output that nobody reads', () => {
  test('ends a command quietly', async () => {
    const child = spawn('sh', ['-c', `"${nodePath}" "${batonPath}" schema | true; exit 0`], { stdio: ['ignore', 'pipe', 'pipe'] })
    assert.equal(await text(child.stderr), '')
  })
})
