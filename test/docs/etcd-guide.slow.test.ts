/** docs/guides/etcd.md: the commands of "Try it" are run as they stand there, from first to last, but on other ports and in another folder. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as keys from '../../src/config/etcd/keys.ts'
import { batonPath, nodePath } from '../kit/baton.ts'
import { freePorts } from '../kit/free-ports.ts'
import { markProcesses } from '../kit/marked-processes.ts'
import { findProgram, needs } from '../kit/packages.ts'
import { until } from '../kit/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/guides/etcd.md'), 'utf8')
/** What is tried on one machine; the roles are another test's. */
const tried = page.slice(0, page.indexOf('\n## Which half'))
const blocks = [...tried.matchAll(/```(sh|yaml)\n([\s\S]*?)```/g)].map(([, language, block]) => ({ language, block: block ?? '' }))
const named = [8080, 8081, 9902, 9903, 3001, 3002, 2379]

interface Machine {
  /** As the guide has it, with this machine's ports, folders and programs. */
  moved(text: string): string
  run(line: string): Promise<{ readonly code: number | null; readonly output: string }>
  /** A line that ends with `&`. */
  background(line: string): void
  /** What `curl` would print. */
  curl(line: string): Promise<string>
}

async function machine(t: TestContext): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-guide-'))
  const marked = markProcesses()
  t.after(async () => {
    await marked.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  const [peer = 0, ...free] = await freePorts(named.length + 1)
  const ports = new Map(named.map((port, index) => [String(port), String(free[index])]))
  const moved = (given: string): string =>
    given
      .replace(/\b(8080|8081|9902|9903|3001|3002|2379)\b/g, (port) => ports.get(port) ?? port)
      .replaceAll('0.0.0.0', '127.0.0.1')
      .replaceAll('/tmp/', `${folder}/tmp/`)
      .replaceAll('npx baton', `"${nodePath}" "${batonPath}"`)
      .replace(/^etcd /, `"${findProgram('etcd')}" --listen-client-urls ${etcd} --advertise-client-urls ${etcd} ${peers(peer)} `)
  const etcd = `http://127.0.0.1:${ports.get('2379')}`
  for (const name of ['config', 'tmp']) mkdirSync(join(folder, name))
  symlinkSync(join(root, 'examples'), join(folder, 'examples'))
  writeFileSync(join(folder, 'config/etcd.yaml'), moved(readFileSync(join(root, 'config/etcd.yaml'), 'utf8')))
  const { NODE_TEST_CONTEXT: _context, BATON_STATE: _state, ...env } = process.env
  const options = { cwd: folder, env: { ...env, ...marked.env, PATH: [dirname(nodePath), env.PATH].join(delimiter) } }
  return {
    moved,
    async run(line) {
      const child = spawn('sh', ['-c', `${moved(line)} 2>&1`], { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
      const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
      return { output: await text(child.stdout), code: await exit }
    },
    async curl(line) {
      const [, name, value, url] = /^curl (?:-H '([^:]+): ([^']+)' )?(\S+)$/.exec(moved(line)) ?? assert.fail(line)
      const answer = await fetch(`http://${url}`, { headers: name === undefined || value === undefined ? {} : { [name]: value } })
      return await answer.text()
    },
    background: (line) => void spawn('sh', ['-c', moved(line).replace(/ &$/, '')], { ...options, stdio: 'ignore' }),
  }
}

function peers(port: number): string {
  const url = `http://127.0.0.1:${port}`
  return `--listen-peer-urls ${url} --initial-advertise-peer-urls ${url} --initial-cluster default=${url}`
}

describe('the guide to etcd', { skip: needs('etcd') }, () => {
  test('does what it says, line by line', async (t) => {
    const { moved, run, background, curl } = await machine(t)
    let revisions: number[] = []
    let ran = 0
    for (const { language, block } of blocks) {
      if (language === 'yaml') writeFileSync(moved('/tmp/shop.yaml'), moved(block))
      else for (const line of block.trim().split('\n')) await follow(line)
    }
    assert.ok(ran > 15, `${ran} lines`)

    async function follow(whole: string): Promise<void> {
      ran += 1
      const [line = '', comment = ''] = whole.split(/ +# /)
      if (line.endsWith(' &')) return background(line)
      if (line.startsWith('curl ')) return void (await serves(line, comment))
      if (line.startsWith('npx baton fleet ')) return void (await hasTwoAtNothing(line))
      // What goes back goes to the one before.
      const { code, output } = await run(line.replace('REVISION', String(revisions[1])))
      assert.equal(code, 0, output)
      if (line.includes(' history ')) revisions = [...output.matchAll(/^(\d+) /gm)].map(([, revision]) => Number(revision))
      if (line.includes(' --wait ')) assert.match(output, /taken by 2 of 2\n$/)
    }

    /** In time: a baton may just have started. */
    function serves(line: string, version: string): Promise<true> {
      return until(
        async () => (await curl(line).catch(() => '')).includes(`"version":"${version}"`),
        () => `${line} is not answered by ${version}`,
      )
    }

    function hasTwoAtNothing(line: string): Promise<true> {
      return until(
        async () => /^INSTANCE.*\n(\S+ +0 +v1 .*\n){2}$/.test((await run(line)).output),
        () => `${line} does not show two`,
      )
    }
  })
})

test('the guide to etcd has every key', () => {
  const made = Object.entries(keys).flatMap(([name, make]) => {
    if (!name.endsWith('KeyOf')) return []
    const key = (make as (prefix: string, part: string) => string)('PREFIX', name === 'instanceKeyOf' ? 'ID' : '42')
    return [key.replace(/\d{16}$/, 'REVISION')]
  })
  const table = [...page.matchAll(/^\| `(PREFIX\/[^`]+)` \|/gm)].map(([, key]) => key)
  assert.deepEqual(table.sort(), made.sort())
})
