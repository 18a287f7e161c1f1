/** Starts a real keeper around `program/generation.ts`, and leaves no process of it behind. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { KeeperTiming } from '../../src/keeper/keeper.ts'
import type { AppExit, AppProcess, AppStart, ListenerFds, ListenerSpec } from '../../src/keeper/protocol.ts'
import { freePort } from '../kit/free-ports.ts'
import { markProcesses } from '../kit/marked-processes.ts'
import { spawnInTerminal } from '../kit/terminal.ts'
import { until } from '../kit/until.ts'

export interface Seen {
  readonly pid: number
  readonly keeperPid: number
  readonly lost: boolean
  readonly apps: readonly AppProcess[]
  readonly fds: ListenerFds
  readonly reloads: number
  readonly stops: number
  readonly exits: readonly AppExit[]
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Started extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  readonly dir: string
  readonly exit: Promise<Exit>
  /** stdout and stderr so far. */
  output(): string
  /** Gives the generation an order, and tells what it knows. */
  ask(order?: unknown): Promise<Seen>
  /** The same, as soon as a generation answers. */
  seen(): Promise<Seen>
  kill(signal: NodeJS.Signals): void
  /** With `terminal`. */
  type(keys: string): void
  /** Processes of this test that still run: keeper, generation, apps and their children. */
  alive(): number[]
}

export interface StartOptions {
  readonly dir?: string
  readonly port?: number
  readonly listeners?: readonly ListenerSpec[]
  readonly env?: Readonly<Record<string, string>>
  readonly timing?: Partial<KeeperTiming>
  /** Run by `sh -c`, with the keeper's command as "$@"; `passFd` becomes its fd 3. */
  readonly launcher?: string
  readonly passFd?: number
  /** The keeper's stdin, stdout and stderr are one; `pid` is that of the other end. */
  readonly terminal?: boolean
}

const node = process.execPath
const program = fileURLToPath(new URL('program/keeper.ts', import.meta.url))

export async function startKeeper(options: StartOptions = {}): Promise<Started> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'baton-keeper-'))
  const port = options.port ?? (await freePort())
  const listeners = options.listeners ?? [{ name: 'public', host: '127.0.0.1', port }]
  const marked = markProcesses()
  const env = {
    ...process.env,
    ...marked.env,
    TEST_TIMING: JSON.stringify(options.timing ?? {}),
    TEST_LISTENERS: JSON.stringify({ v: 1, state: join(dir, 'state'), listeners }),
    ...options.env,
  }
  const child = options.terminal ? spawnInTerminal([node, program], { env }) : launch(options, env)
  let output = ''
  child.stdout?.on('data', (chunk) => (output += chunk))
  child.stderr?.on('data', (chunk) => (output += chunk))
  const exit = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  const pid = child.pid ?? 0
  const ask = async (order?: unknown): Promise<Seen> => JSON.parse((await call(port, order)).body) as Seen
  return {
    pid,
    port,
    dir,
    exit,
    output: () => output,
    ask,
    seen: () =>
      until(
        () => ask().catch(() => null),
        () => `no generation answers; the output is ${output}`,
      ),
    kill: (signal) => void process.kill(pid, signal),
    type: (keys) => void child.stdin?.write(keys),
    alive: marked.alive,
    async [Symbol.asyncDispose]() {
      await marked.kill()
      child.stdin?.destroy()
      child.stdout?.destroy()
      child.stderr?.destroy()
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

function launch({ launcher = 'exec "$@"', passFd }: StartOptions, env: NodeJS.ProcessEnv): ChildProcess {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ...(passFd === undefined ? [] : [passFd])]
  return spawn('sh', ['-c', launcher, 'sh', node, program], { env, stdio })
}

export function call(port: number, order?: unknown): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const method = order === undefined ? 'GET' : 'POST'
    const request = http.request({ host: '127.0.0.1', port, method, agent: false, timeout: 20_000 }, async (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    request.on('timeout', () => request.destroy(new Error('timeout')))
    request.on('error', reject)
    request.end(order === undefined ? undefined : JSON.stringify(order))
  })
}

export function sleepApp(name: string, more: Partial<AppStart> = {}): { is: 'start'; app: AppStart } {
  return { is: 'start', app: { name, argv: ['sleep', '1000'], env: {}, cwd: '/', output: { is: 'inherit' }, port: 1, ...more } }
}
