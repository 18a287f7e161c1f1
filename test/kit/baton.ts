/** The real `bin/baton.js`, as every test from the outside uses it: started on free ports in a fresh folder, and always cleaned up. */
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { freePorts } from './free-ports.ts'
import { markProcesses } from './marked-processes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const nodePath = join(root, 'node_modules/.bin/node')
export const batonPath = join(root, 'bin/baton.js')

/** Bounds every wait of this file. */
const patienceMs = 30_000

export interface StartBatonOptions {
  /**
   * Text of a configuration, or its content. `:0` of a listener's address and `port: 0` of a process become free ports; what an object
   * lacks of `bootstrap.listeners` is added, on 127.0.0.1.
   */
  readonly config: string | Readonly<Record<string, unknown>>
  /** Kept at the end if given; else a fresh one, removed. */
  readonly dir?: string
  readonly env?: Readonly<Record<string, string>>
  /** After `run -c FILE`. */
  readonly args?: readonly string[]
  /** A command that becomes baton by `exec "$@"`: its pid is then baton's. */
  readonly wrap?: readonly string[]
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface Baton extends AsyncDisposable {
  /** 0 where it listens on a Unix socket. */
  readonly publicPort: number
  readonly metricsPort: number
  readonly keeperPid: number
  readonly dir: string
  readonly configFile: string
  /** The configuration as it was written, with its ports. */
  readonly config: string
  readonly adminSocket: string
  readonly exit: Promise<Exit>
  /** stdout and stderr so far. */
  output(): string
  admin(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** GET on the metrics port: /livez, /readyz, /startupz, /metrics. */
  metrics(path: string): Promise<Answer>
  /** Until /readyz says 200: stable serves. */
  ready(): Promise<void>
  /** SIGTERM, then the exit; what is left after 30 s is killed and an error. */
  stop(): Promise<Exit>
  kill(signal: NodeJS.Signals): void
  /** Processes that this start has brought up and that still run: keeper, generation, apps and their children. */
  alive(): number[]
}

/** Resolves once listeners are bound and the configuration is loaded; rejects with the output if baton ends before. */
export async function startBaton(options: StartBatonOptions): Promise<Baton> {
  for (let attempt = 1; ; attempt++) {
    const baton = await launch(options)
    const ended = baton.exit.then(() => 'ended' as const)
    const outcome = await Promise.race([waitFor(baton, '/startupz').catch((error: Error) => error), ended])
    if (outcome === undefined) return baton
    await baton[Symbol.asyncDispose]()
    // A port that was free when it was picked, and not any more.
    const lostRace = baton.output().includes('in use by another process') && attempt < 3
    if (!lostRace) throw new Error(`baton does not start (${outcome}); its output is\n${baton.output()}`)
  }
}

async function launch({ config, dir: given, env, args = [], wrap = [] }: StartBatonOptions): Promise<Baton> {
  const dir = given ?? mkdtempSync(join(tmpdir(), 'baton-'))
  const content = typeof config === 'string' ? await withPorts(config) : JSON.stringify(await withListeners(config), null, 2)
  const configFile = join(dir, 'baton.yaml')
  writeFileSync(configFile, content)
  const marked = markProcesses()
  const [program = nodePath, ...words] = [...wrap, nodePath, batonPath, 'run', '-c', configFile, ...args]
  const log = outputFile()
  const child = spawn(program, words, {
    cwd: dir,
    env: { ...cleanEnv(), ...marked.env, ...env },
    stdio: ['ignore', log.fd, log.fd],
  })
  const output = log.text
  const exit = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  const metricsPort = portIn(content, 'metrics')
  const adminSocket = join(env?.BATON_STATE ?? stateIn(content, dir), 'admin.sock')
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal)
  const dispose = async (): Promise<void> => {
    await marked.kill()
    log.close()
    if (given === undefined) rmSync(dir, { recursive: true, force: true })
  }
  const baton: Baton = {
    publicPort: portIn(content, 'public'),
    metricsPort,
    keeperPid: child.pid ?? 0,
    dir,
    configFile,
    config: content,
    adminSocket,
    exit,
    output,
    admin: (method, path, body, headers) => request({ socketPath: adminSocket, method, path, ...(headers ? { headers } : {}) }, body),
    metrics: (path) => request({ host: '127.0.0.1', port: metricsPort, path }),
    ready: () => waitFor(baton, '/readyz'),
    stop: () => stop(kill, exit, dispose, output),
    kill,
    alive: marked.alive,
    [Symbol.asyncDispose]: dispose,
  }
  return baton
}

/** A file and no pipe: what baton wrote before it answered is there when the answer is. */
function outputFile(): { readonly fd: number; text(): string; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'baton-output-'))
  const path = join(folder, 'output')
  const fd = openSync(path, 'a')
  let last: string | null = null
  const text = (): string => last ?? readFileSync(path, 'utf8')
  return {
    fd,
    text,
    close() {
      if (last !== null) return
      last = text()
      closeSync(fd)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Runs one command of baton to its end. */
export async function runBaton(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> {
  const child = spawn(nodePath, [batonPath, ...args], {
    cwd: options.cwd ?? root,
    env: { ...cleanEnv(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patienceMs,
  })
  const exit = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { ...(await exit), stdout, stderr }
}

/** Of the machine that the tests run on, nothing that baton reads. */
function cleanEnv(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _context, BATON_STATE: _state, BATON_ADMIN_TOKEN: _token, ...env } = process.env
  return env
}

async function waitFor(baton: Baton, path: string): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    const answer = await baton.metrics(path).catch(() => null)
    if (answer?.status === 200) return
    await sleep(20)
  }
  throw new Error(`${path} does not say 200 within ${patienceMs} ms; the output is\n${baton.output()}`)
}

async function stop(kill: (signal: NodeJS.Signals) => void, exit: Promise<Exit>, dispose: () => Promise<void>, output: () => string) {
  kill('SIGTERM')
  const late = sleep(patienceMs, null, { ref: false })
  const result = await Promise.race([exit, late])
  if (result !== null) return result
  await dispose()
  throw new Error(`baton does not stop within ${patienceMs} ms; the output is\n${output()}`)
}

function request(options: http.RequestOptions, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = http.request({ ...options, agent: false, timeout: patienceMs }, (response) => {
      const { statusCode: status = 0, headers } = response
      text(response).then((received) => resolve({ status, headers, body: received }), reject)
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${patienceMs} ms`)))
    sent.on('error', reject)
    if (body !== undefined && typeof body !== 'string') sent.setHeader('content-type', 'application/json')
    sent.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body))
  })
}

async function withPorts(content: string): Promise<string> {
  const parts = content.split(/(?<=(?:127\.0\.0\.1|0\.0\.0\.0|localhost|\]):)0\b|(?<="?port"?:\s*)0\b/)
  const ports = await freePorts(parts.length - 1)
  return parts.map((part, index) => (index === 0 ? part : `${ports[index - 1]}${part}`)).join('')
}

async function withListeners(config: Readonly<Record<string, unknown>>): Promise<unknown> {
  const bootstrap = (config.bootstrap ?? {}) as { listeners?: Record<string, unknown> }
  const listeners = { public: { address: '127.0.0.1:0' }, metrics: { address: '127.0.0.1:0' }, ...bootstrap.listeners }
  return JSON.parse(await withPorts(JSON.stringify({ ...config, bootstrap: { ...bootstrap, listeners } })))
}

interface Written {
  readonly bootstrap?: { readonly state?: string; readonly listeners?: Readonly<Record<string, { readonly address?: string | number }>> }
}

function portIn(content: string, listener: string): number {
  const address = String((parse(content) as Written).bootstrap?.listeners?.[listener]?.address ?? '')
  return Number(/:?(\d+)$/.exec(address)?.[1] ?? 0)
}

function stateIn(content: string, dir: string): string {
  return join(dir, (parse(content) as Written).bootstrap?.state ?? '.baton')
}
