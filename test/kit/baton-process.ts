/** baton as a person runs it: the real command, in a process of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const command = fileURLToPath(new URL('../../bin/baton.js', import.meta.url))

/** A command that ends by itself. */
export function baton(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [command, ...args], { cwd: root, encoding: 'utf8' })
}

export interface RunningBaton {
  readonly child: ChildProcess
  /** Both streams so far, for a failure's message. */
  output(): string
  /** The exit code, or the signal, once it has ended. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** `state` keeps it apart from every other baton of this machine. Stopped at the test's end. */
export function startBaton(t: TestContext, file: string, state: string): RunningBaton {
  const env = { ...process.env, BATON_STATE: state }
  return watch(t, spawn(process.execPath, [command, 'run', '-c', file], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] }))
}

export function watch(t: TestContext, child: ChildProcess): RunningBaton {
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk))
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
  })
  return { child, ended, output: () => text }
}

/** Resolves when the URL answers 200; rejects when baton ends before, or after 30 s. */
export async function answers(running: RunningBaton, url: string): Promise<void> {
  const signal = AbortSignal.timeout(30_000)
  const ended = running.ended.then((exit) => Promise.reject(new Error(`baton ended with ${exit}:\n${running.output()}`)))
  const ready = (async () => {
    while (!(await isOk(url))) {
      if (signal.aborted) throw new Error(`${url} never answered 200:\n${running.output()}`)
      await pause(50) // what is polled has no event to wait for
    }
  })()
  await Promise.race([ready, ended])
}

async function isOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url)
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false // not listening yet
  }
}
