/** What the README promises to somebody who has only git, Node and npm: clone, `npm ci`, `npm start`, and it serves. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { answers, type RunningBaton, watch } from '../kit/baton-process.ts'
import { copyExample } from '../kit/example-config.ts'
import { isFree } from '../kit/free-ports.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The environment of a plain shell: without what `npm run` added, node_modules/.bin and its newer Node first of all. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(lifecycle|package|command|execpath|node_execpath|config_local_prefix)|INIT_CWD|NODE_|BATON_)/.test(name),
  )
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) }
}

function run(cwd: string, command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: plainEnvironment(), encoding: 'utf8' })
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

describe('a fresh clone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-clone-'))
  const clone = join(folder, 'baton')
  after(() => rmSync(folder, { recursive: true, force: true }))

  before(() => {
    run(folder, 'git', 'clone', '--quiet', root, clone)
    run(clone, 'npm', 'ci')
  })

  /** In a process group of its own, as a shell starts it; so Ctrl-C can be sent as a terminal does, to the whole group. */
  function npmStart(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv): RunningBaton {
    const child = spawn('npm', ['start', ...args], {
      cwd: clone,
      env: { ...plainEnvironment(), ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return watch(t, child)
  }

  async function tryIt(running: RunningBaton, publicPort: number, metricsPort: number): Promise<void> {
    await answers(running, `http://127.0.0.1:${metricsPort}/readyz`)
    const hello = async (headers: Record<string, string>) => {
      const answer = await fetch(`http://127.0.0.1:${publicPort}/api/hello`, { headers })
      assert.equal(answer.status, 200)
      return ((await answer.json()) as { version: string }).version
    }
    assert.equal(await hello({}), 'v1')
    while ((await hello({ 'x-canary': 'true' })) !== 'v2'); // its slow start: the fallback serves until then
    assert.equal(await hello({ 'x-version': 'v2' }), 'v2')
    assert.equal(await hello({}), 'v1')
  }

  async function pressCtrlC(running: RunningBaton, ports: readonly number[]): Promise<void> {
    const { pid } = running.child
    assert.ok(pid)
    process.kill(-pid, 'SIGINT')
    const exit = await running.ended
    // npm passes the end on as it likes: as the exit code of what it ran, or as the signal.
    assert.ok(exit === 0 || exit === 130 || exit === 'SIGINT', `ended with ${exit}:\n${running.output()}`)
    assert.deepEqual(processesIn(clone), [])
    for (const port of ports) assert.ok(await isFree(port, '127.0.0.1'), `port ${port} is still bound`)
  }

  test('npm start serves v1, v2 by the canary header, and Ctrl-C leaves nothing behind', async (t) => {
    const { file, state, ports } = await copyExample(t, clone, 'baton.yaml')
    const [publicPort = 0, metricsPort = 0] = [ports.get(8080), ports.get(9902)]
    const running = npmStart(t, ['--', '-c', file], { BATON_STATE: state })
    await tryIt(running, publicPort, metricsPort)
    await pressCtrlC(running, [...ports.values()])
  })

  test('npm start as it stands serves on :8080, or says in one line that the port is taken', async (t) => {
    const ports = [8080, 9902, 3001, 3002]
    const free = await Promise.all(ports.map((port) => isFree(port, '0.0.0.0')))
    const running = npmStart(t, [], {})
    if (free.every(Boolean)) {
      await tryIt(running, 8080, 9902)
      await pressCtrlC(running, ports)
    } else if (free[0] === true && free[1] === true) {
      t.diagnostic('port 3001 or 3002 is taken on this machine: baton waits for it')
    } else {
      assert.notEqual(await running.ended, 0)
      assert.match(running.output(), /8080|9902/)
    }
  })
})

/** Those whose working folder is inside; Linux only, elsewhere the ports tell. */
function processesIn(folder: string): string[] {
  if (!existsSync('/proc/self/cwd')) return []
  return globSync('/proc/[0-9]*/cwd').filter((link) => folderOf(link).startsWith(folder))
}

function folderOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return '' // it has ended meanwhile, or is another user's
  }
}
