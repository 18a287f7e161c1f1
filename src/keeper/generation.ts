/** One generation's process: how it is started, spoken to, and how long to wait before the next. */
import { spawn } from 'node:child_process'
import { identify, isAlive, signalGroup } from './proc.ts'
import { protocolVersion, type ToGeneration, type ToKeeper } from './protocol.ts'

/** Null code: ended by `signal`, or could not be started (`error`). */
export interface GenerationEnd {
  readonly code: number | null
  readonly signal: string | null
  readonly error: string | null
}

export interface Generation {
  readonly pid: number
  send(message: ToGeneration): void
  kill(): void
}

export interface GenerationEvents {
  said(message: ToKeeper): void
  /** Once; nothing is said after it. */
  ended(end: GenerationEnd): void
}

/** stdio is [ignore, inherit, inherit, ipc], so the first listening socket is fd 4. */
const firstFd = 4

export function startGeneration(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  fds: ReadonlyMap<string, number>,
  events: GenerationEvents,
): Generation {
  const names = Object.fromEntries([...fds.keys()].map((name, index) => [name, firstFd + index]))
  const [command = '', ...args] = argv
  const child = spawn(command, args, {
    env: { ...env, BATON_LISTENERS: JSON.stringify(names), BATON_KEEPER: '1' },
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...fds.values()],
  })
  let ended = false
  const end = (result: GenerationEnd): void => {
    if (ended) return
    ended = true
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL') // What it may have left in its group.
    events.ended(result)
  }
  child.on('message', (message) => {
    if (!ended && isToKeeper(message)) events.said(message)
  })
  child.once('exit', (code, signal) => end({ code, signal, error: null }))
  child.on('error', (error) => {
    if (child.pid === undefined) end({ code: null, signal: null, error: error.message })
  })
  const who = identify(child.pid ?? 0)
  return {
    pid: who.pid,
    // A generation that is ending no longer listens; its exit is what counts, and comes.
    send: (message) => void (child.connected && child.send(message, () => undefined)),
    kill: () => void (isAlive(who) && signalGroup(who.pid, 'SIGKILL')),
  }
}

function isToKeeper(message: unknown): message is ToKeeper {
  return typeof message === 'object' && message !== null && 'v' in message && message.v === protocolVersion && 'is' in message
}

/** At once, then base × 2ⁿ up to a bound. `restarts` is how many there were since baton was last steady. */
export function restartDelayMs(restarts: number, baseMs: number, maxMs: number): number {
  return restarts === 0 ? 0 : Math.min(maxMs, baseMs * 2 ** (restarts - 1))
}
