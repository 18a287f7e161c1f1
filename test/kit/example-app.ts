/** The example app as a real process, started on a free port and stopped at the test's end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const appFile = fileURLToPath(new URL('../../examples/app/app.ts', import.meta.url))

export interface ExampleApp {
  /** `http://127.0.0.1:PORT`; '' when it listens on a Unix socket. */
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
  /** The exit code, or the signal, once it has ended. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** `env`: APP_VERSION, START_DELAY_MS, SOCKET, PORT … Resolves when it listens; rejects when it ends before. */
export async function startExampleApp(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<ExampleApp> {
  const child = spawn(process.execPath, [appFile], { env: { ...process.env, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const lines = createInterface({ input: child.stdout })
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => String(text)),
    ended.then((exit) => Promise.reject(new Error(`the example app ended before it listened: ${exit}`))),
  ])
  const url = /http:\/\/\S+/.exec(line)?.[0] ?? ''
  return { url, port: url === '' ? 0 : Number(new URL(url).port), child, ended }
}
