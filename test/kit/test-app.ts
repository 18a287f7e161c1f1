/** `test/e2e/program/app.ts` as a real process: its own, or as a process of a configuration. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { nodePath } from './baton.ts'
import { type Received, send } from './send.ts'

const program = fileURLToPath(new URL('../e2e/program/app.ts', import.meta.url))

/** A process of `bootstrap.processes` on a free port. */
export function managedApp(version: string, env: Readonly<Record<string, string>> = {}) {
  return { command: [nodePath, program], port: 0, env: { VERSION: version, ...env } }
}

export interface TestApp extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  readonly url: string
  /** Past baton. */
  ask(method: string, path: string): Promise<Received>
  /** What reached it, as it tells. */
  seen(): Promise<{ readonly open: number; readonly gone: number; readonly probes: number; readonly requests: number }>
  /** Id → how often. */
  orders(): Promise<Readonly<Record<string, number>>>
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** Resolves once it listens. `env`: VERSION, PORT, HOST, HEALTH, KEEP_ALIVE, SOCKET, BACKLOG. */
export async function startTestApp(version: string, env: Readonly<Record<string, string>> = {}): Promise<TestApp> {
  const { NODE_TEST_CONTEXT: _context, ...inherited } = process.env
  const child = spawn(nodePath, [program], { env: { ...inherited, VERSION: version, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const onExit = (): void => void child.kill('SIGKILL')
  process.once('exit', onExit)
  const early = exit.then(() => Promise.reject(new Error(`the app ${version} ended before it listened`)))
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), early])) as [string]
  early.catch(() => undefined) // it has started: its end is the test's business from here
  const host = env.HOST ?? '127.0.0.1'
  const port = Number(/(\d+)$/.exec(line)?.[1] ?? 0)
  const ask = (method: string, path: string): Promise<Received> => send({ host, port, method, path })
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    process.removeListener('exit', onExit)
    child.kill(signal)
    await exit
  }
  return {
    pid: child.pid ?? 0,
    port,
    url: `http://${host}:${port}`,
    ask,
    seen: async () => JSON.parse((await ask('GET', '/seen')).body),
    orders: async () => JSON.parse((await ask('GET', '/orders')).body),
    kill,
    [Symbol.asyncDispose]: () => kill(),
  }
}
