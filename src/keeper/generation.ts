/** One generation's process: how it is started, spoken to, and how long to wait before the next. */
import { type ChildProcess, spawn } from 'node:child_process'
import { errorMessage } from '../errors.ts'
import { identify, isAlive, signalGroup } from './proc.ts'
import { isMessage, type ToGeneration, type ToKeeper } from './protocol.ts'

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

/** Never throws: what cannot be started ends, with the reason, in a later turn. */
export function startGeneration(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  fds: ReadonlyMap<string, number>,
  events: GenerationEvents,
): Generation {
  const names = Object.fromEntries([...fds.keys()].map((name, index) => [name, firstFd + index]))
  const [command = '', ...args] = argv
  let child: ChildProcess
  try {
    child = spawn(command, args, {
      env: { ...env, BATON_LISTENERS: JSON.stringify(names), BATON_KEEPER: '1' },
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...fds.values()],
    })
  } catch (error) {
    // Node tells of some failures by an event and of others, such as ENOMEM, by a throw, which would end the keeper.
    return notStarted(errorMessage(error), events)
  }
  let ended = false
  const end = (result: GenerationEnd): void => {
    if (ended) return
    ended = true
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL') // What it may have left in its group.
    events.ended(result)
  }
  child.on('message', (message) => {
    if (!ended && isMessage<ToKeeper>(message)) events.said(message)
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

/** Its end comes once the caller holds it, as Node's own event would. */
function notStarted(error: string, events: GenerationEvents): Generation {
  process.nextTick(() => events.ended({ code: null, signal: null, error }))
  return { pid: 0, send: () => undefined, kill: () => undefined }
}

/** At once, then base × 2ⁿ up to a bound. `restarts` is how many there were since baton was last steady. */
export function restartDelayMs(restarts: number, baseMs: number, maxMs: number): number {
  return restarts === 0 ? 0 : Math.min(maxMs, baseMs * 2 ** (restarts - 1))
}
