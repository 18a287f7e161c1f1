/** A program pinned to one core: started, waited for until it answers, ended by its pid. */
import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** The proxy that is measured has this core for itself. */
export const proxyCore = 0
/** Load generator and app share this one. */
export const loadCore = 1

export interface Program {
  readonly name: string
  readonly pid: number
  /** Ends it: SIGTERM, and SIGKILL after 5 s. */
  stop(): Promise<void>
}

export interface Started {
  readonly name: string
  readonly core: number
  readonly argv: readonly string[]
  /** The program is up when this port accepts. */
  readonly port: number
}

const startTimeoutMs = 15_000
const stopTimeoutMs = 5_000

/** Throws with the program's last words when it ends before it accepts, or accepts too late. */
export async function startProgram({ name, core, argv, port }: Started): Promise<Program> {
  const child = spawn('taskset', ['-c', String(core), ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  let words = ''
  const hear = (text: string): void => {
    words = (words + text).slice(-2_000)
  }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear)
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (error) => {
      hear(error.message)
      resolve()
    })
  })
  try {
    await accepting(child, port)
  } catch (error) {
    await endProcess(child, ended)
    throw new Error(`${name} did not start: ${words.trim() || String(error)}`)
  }
  return { name, pid: child.pid ?? 0, stop: () => endProcess(child, ended) }
}

async function accepting(child: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  while (!(await accepts(port))) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) throw new Error('it ended at once')
    if (performance.now() > deadline) throw new Error(`nothing accepted on port ${port} within ${startTimeoutMs} ms`)
    await sleep(50)
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function endProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  const hard = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await ended
  clearTimeout(hard)
}
