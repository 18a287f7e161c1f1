import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { subcommands } from '../../src/cli/config.ts'
import { minimal } from '../config/fixture.ts'
import { runBaton } from '../kit/baton.ts'

const dir = mkdtempSync(join(tmpdir(), 'baton-cli-config-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const etcd = 'config: { etcd: { endpoints: ["http://127.0.0.1:1"], prefix: /p } }'
const files: Readonly<Record<string, string>> = {
  'boot.yaml': `bootstrap: { ${etcd} }\n`,
  'alone.yaml': minimal,
  'wrong-boot.yaml': 'bootstrap: { config: { etcd: { endpoint: [], prefix: p } } }\n',
  'no-password.yaml':
    'bootstrap: { config: { etcd: { endpoints: ["http://127.0.0.1:1"], prefix: /p, user: u, passwordFile: missing } } }\n',
  'new.yaml': minimal,
  'both.yaml': `bootstrap: { ${etcd} }\n${minimal}`,
  'wrong.yaml': 'versions: { v1: { url: "http://127.0.0.1:1" } }\nstable: v2\ncach: {}\n',
}
for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)

/** Arguments → exit code and what is on stderr. */
const wrong: readonly (readonly [args: string, code: number, stderr: RegExp])[] = [
  ['config', 2, /^baton: which one\? baton config put, get, diff, history or rollback\n$/],
  ['config pit', 2, /^baton: unknown command "config pit", did you mean "put"\?\n$/],
  ['config hstory -c boot.yaml', 2, /^baton: unknown command "config hstory", did you mean "history"\?\n$/],
  ['config toString', 2, /^baton: unknown command "config toString"; there is put, get, diff, history and rollback\n$/],
  ['config -c boot.yaml put new.yaml', 2, /^baton: unknown command "config -c"; there is [^\n]*\n$/],
  ['config put', 2, /^baton: FILE is missing; usage: baton config put -c FILE [^\n]* FILE\n$/],
  ['config put new.yaml', 2, /^baton: -c FILE is missing; usage: baton config put/],
  ['config put -c boot.yaml new.yaml more', 2, /^baton: one argument too many: "more"; usage: baton config put/],
  ['config put -c boot.yaml --wiat new.yaml', 2, /^baton: unknown option --wiat, did you mean --wait\?/],
  ['config put -c boot.yaml missing.yaml', 2, /^missing\.yaml: found no such file, expected a readable file\n$/],
  ['config put -c missing.yaml new.yaml', 2, /^missing\.yaml: found no such file, expected a readable file\n$/],
  ['config put -c boot.yaml --expect-revision x new.yaml', 2, /^baton: --expect-revision: found "x", expected a revision, such as 42\n$/],
  ['config put -c boot.yaml --expect-revision -1 new.yaml', 2, /^baton: [^\n]*--expect-revision[^\n]*\n$/],
  ['config put -c boot.yaml --wait --timeout 5 new.yaml', 2, /^baton: --timeout: found "5", expected a duration/],
  ['config put -c boot.yaml --timeout 5s new.yaml', 2, /^baton: --timeout is the limit of --wait, which is missing\n$/],
  ['config rollback -c boot.yaml', 2, /^baton: REV is missing; usage: baton config rollback/],
  ['config rollback -c boot.yaml head', 2, /^baton: REV: found "head", expected a revision, such as 42\n$/],
  ['config get -c boot.yaml --revision=', 2, /^baton: --revision: found "", expected a revision/],
  ['config get -c boot.yaml 42', 2, /^baton: one argument too many: "42"; usage: baton config get/],
  ['config diff -c boot.yaml', 2, /^baton: FILE or --revision N is missing; usage: baton config diff/],
  ['config diff -c boot.yaml a b', 2, /^baton: one argument too many: "b"/],
  ['config history', 2, /^baton: -c FILE is missing; usage: baton config history/],
  ['fleet', 2, /^baton: -c FILE is missing; usage: baton fleet/],
  ['fleet -c boot.yaml one', 2, /^baton: one argument too many: "one"; usage: baton fleet/],
  ['fleet -c alone.yaml', 2, /^baton: alone\.yaml has no bootstrap\.config\.etcd: its configuration is the file itself\n$/],
  ['config get -c alone.yaml', 2, /^baton: alone\.yaml has no bootstrap\.config\.etcd: its configuration is the file itself\n$/],
  ['fleet -c no-password.yaml', 1, /^baton: bootstrap\.config\.etcd\.passwordFile: [^\n]*missing[^\n]*\n$/],
  [
    'fleet -c wrong-boot.yaml',
    2,
    /^[^\n]*etcd\.endpoints: found nothing[^\n]*\n[^\n]*etcd\.endpoint: [^\n]*did you mean endpoints\?\)\n[^\n]*etcd\.prefix: found "p"[^\n]*write \/p\)\n$/,
  ],
  [
    'config put -c boot.yaml both.yaml',
    2,
    /^both\.yaml:1:1 bootstrap: found the bootstrap half, expected the dynamic half alone \(bootstrap comes from the local file only\)\n$/,
  ],
  [
    'config put -c boot.yaml --force wrong.yaml',
    2,
    /^wrong\.yaml:2:9 stable: found "v2"[^\n]*\nwrong\.yaml:3:1 cach: found the unknown key "cach"[^\n]*\n$/,
  ],
  ...[
    'config put -c boot.yaml new.yaml',
    'config get -c boot.yaml',
    'config diff -c boot.yaml new.yaml',
    'config history -c boot.yaml',
  ].map((args) => [args, 1, /^baton: etcd cannot be reached: http:\/\/127\.0\.0\.1:1: [^\n]*ECONNREFUSED[^\n]*\n$/] as const),
  ['config rollback -c boot.yaml 1', 1, /^baton: etcd cannot be reached: [^\n]*\n$/],
  ['fleet -c boot.yaml', 1, /^baton: etcd cannot be reached: [^\n]*\n$/],
]

describe('a wrong call is told on stderr, with its exit code, and nothing on stdout', { concurrency: 2 }, () => {
  for (const [args, code, stderr] of wrong) {
    test(`baton ${args}`, async () => {
      const result = await runBaton(args.split(' '), { cwd: dir })
      assert.match(result.stderr, stderr)
      assert.equal(result.stdout, '')
      assert.equal(result.code, code)
    })
  }
})

describe('help', () => {
  for (const [name, load] of Object.entries(subcommands)) {
    test(`baton config ${name} --help shows its usage`, async () => {
      const { stdout, stderr, code } = await runBaton(['config', name, '--help'])
      assert.ok(stdout.startsWith(`usage: baton config ${name} -c FILE`))
      assert.deepEqual([stderr, code], ['', 0])
      assert.ok((await load()).command)
    })
  }

  test('baton config --help, and -h, names each of them', async () => {
    const [help, h] = await Promise.all(['--help', '-h'].map((flag) => runBaton(['config', flag])))
    const named = [...(help?.stdout ?? '').matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name)
    assert.deepEqual(named, Object.keys(subcommands))
    assert.deepEqual([h?.stdout, h?.code, h?.stderr], [help?.stdout, 0, ''])
  })
})
