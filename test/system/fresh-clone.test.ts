/** What the README promises to somebody who has only git, Node and npm: clone, `npm ci`, `npm start`, and it serves. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { exampleConfig } from '../kit/example-config.ts'
import { freePorts, isFree } from '../kit/free-ports.ts'
import { type Marked, markProcesses } from '../kit/marked-processes.ts'
import { needs } from '../kit/packages.ts'

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

describe('a fresh clone', { skip: needs('git') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-clone-'))
  const clone = join(folder, 'baton')
  after(() => rmSync(folder, { recursive: true, force: true }))

  before(() => {
    run(folder, 'git', 'clone', '--quiet', root, clone)
    run(clone, 'npm', 'ci')
  })

  /** In a process group of its own, as a shell starts it; so Ctrl-C can be sent as a terminal does, to the whole group. */
  function npmStart(t: TestContext, args: readonly string[]): Started {
    const marked = markProcesses()
    t.after(() => marked.kill())
    const env = { ...plainEnvironment(), ...marked.env }
    const child = spawn('npm', ['start', ...args], { cwd: clone, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    return { pid: child.pid ?? 0, ended, marked, output: () => output }
  }

  test('npm start serves v1, v2 by the canary header, and Ctrl-C leaves nothing behind', async (t) => {
    const [publicPort = 0, metricsPort = 0, first = 0, second = 0] = await freePorts(4)
    const file = join(folder, 'baton.yaml')
    const ports = { 8080: publicPort, 9902: metricsPort, 3001: first, 3002: second }
    writeFileSync(file, exampleConfig('baton.yaml', { root: clone, ports }))
    const started = npmStart(t, ['--', '-c', file])
    await tryIt(started, publicPort, metricsPort)
    assert.match(started.output(), /curl -H 'x-canary: true' localhost:8080/, 'it says what to try')
    await pressCtrlC(started, Object.values(ports))
  })

  test('npm start as it stands serves on :8080, or says in one line that a port is taken', async (t) => {
    const ports = [8080, 9902, 3001, 3002]
    const free = await Promise.all(ports.map((port) => isFree(port, '0.0.0.0')))
    const started = npmStart(t, [])
    if (free.every(Boolean)) {
      await tryIt(started, 8080, 9902)
      await pressCtrlC(started, ports)
    } else if (free[0] === true && free[1] === true) {
      t.diagnostic('port 3001 or 3002 is taken on this machine: no app can start there')
    } else {
      assert.notEqual(await started.ended, 0)
      assert.match(started.output(), /8080|9902/)
    }
  })
})

interface Started {
  readonly pid: number
  readonly ended: Promise<number | NodeJS.Signals>
  readonly marked: Marked
  output(): string
}

async function tryIt(started: Started, publicPort: number, metricsPort: number): Promise<void> {
  await untilReady(started, metricsPort)
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

async function untilReady(started: Started, metricsPort: number): Promise<void> {
  const ended = started.ended.then((exit) => Promise.reject(new Error(`npm start ended with ${exit}:\n${started.output()}`)))
  const ready = (async () => {
    for (let round = 0; round < 600; round += 1) {
      const answer = await fetch(`http://127.0.0.1:${metricsPort}/readyz`).catch(() => null)
      if (answer?.status === 200) return
      await sleep(50)
    }
    throw new Error(`not ready in 30 s:\n${started.output()}`)
  })()
  await Promise.race([ready, ended])
}

async function pressCtrlC(started: Started, ports: readonly number[]): Promise<void> {
  process.kill(-started.pid, 'SIGINT')
  const exit = await started.ended
  // npm passes the end on as it likes: as the exit code of what it ran, or as the signal.
  assert.ok(exit === 0 || exit === 130 || exit === 'SIGINT', `ended with ${exit}:\n${started.output()}`)
  assert.deepEqual(started.marked.alive(), [])
  for (const port of ports) assert.ok(await isFree(port, '127.0.0.1'), `port ${port} is still bound`)
}
