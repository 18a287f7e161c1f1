/**
 * An app process that baton keeps running. The keeper is its parent and does as told; what should run and when is decided here.
 *
 *   idle ─start─► asked ─the keeper lists it─► running ─exit─► waiting ─backoff─► asked
 *                   │                             │
 *                   └──────────── stop ───────────┴─► stopping ─exit─► idle
 *
 * A process of the same name and definition that runs already (a generation died, or its version was removed and is wanted again) is
 * adopted: no start, the same pid. It has one owner at a time; the former one gives it up by `release`.
 */
import { createHash } from 'node:crypto'
import type { ProcessSettings } from '../config/settings.ts'
import type { AppExit, AppStart } from '../keeper/protocol.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Timer, World } from '../world.ts'

/** Who starts and signals processes: the keeper, through its link. */
export interface Apps {
  running(name: string): { readonly pid: number } | null
  start(app: AppStart): void
  signal(name: string, signal: NodeJS.Signals): void
}

export interface ProcessWatcher {
  /** `adopted`: it ran before this generation did. */
  started(pid: number, adopted: boolean): void
  exited(reason: string): void
}

interface Parts {
  readonly apps: Apps
  readonly world: World
  readonly log: Log
  readonly metrics: Metrics
  readonly watcher: ProcessWatcher
}

type State =
  | { readonly is: 'idle' }
  | { readonly is: 'asked' }
  | { readonly is: 'running'; readonly pid: number; readonly since: number }
  | { readonly is: 'waiting'; readonly timer: Timer }
  | { readonly is: 'stopping'; readonly timer: Timer; readonly done: () => void }

const backoffBaseMs = 100
const backoffMaxMs = 10_000
/** Up this long, the next exit starts the backoff anew. */
const steadyMs = 60_000
/** From SIGKILL until its end is taken for granted: a keeper that was lost meanwhile tells of nothing. */
const lostMs = 5_000

/** The keeper's name for it: another definition under the same name is another process. */
export function appName(name: string, settings: ProcessSettings): string {
  const definition = createHash('sha256').update(
    JSON.stringify([settings.command, settings.env, settings.cwd, settings.port, settings.output]),
  )
  return `${name}@${definition.digest('hex').slice(0, 8)}`
}

export class ManagedProcess {
  readonly app: string
  readonly #version: string
  readonly #settings: ProcessSettings
  readonly #parts: Parts
  #state: State = { is: 'idle' }
  #failuresInARow = 0
  #restarts = 0

  constructor(version: string, name: string, settings: ProcessSettings, parts: Parts) {
    this.app = appName(name, settings)
    this.#version = version
    this.#settings = settings
    this.#parts = parts
  }

  get pid(): number | null {
    return this.#state.is === 'running' ? this.#state.pid : null
  }
  get port(): number {
    return this.#settings.port
  }
  /** It runs, or will: its port is not free. */
  get holdsPort(): boolean {
    return this.#state.is !== 'idle'
  }
  get restarts(): number {
    return this.#restarts
  }

  start(): void {
    if (this.#state.is !== 'idle') return
    const found = this.#parts.apps.running(this.app)
    if (found === null) return this.#ask()
    this.#run(found.pid, true)
  }

  /** The keeper's list of apps changed. */
  listed(): void {
    const found = this.#parts.apps.running(this.app)
    if (found !== null && this.#state.is === 'asked') this.#run(found.pid, false)
  }

  exited(exit: AppExit): void {
    const reason = reasonOf(exit)
    const state = this.#state
    if (state.is === 'stopping') {
      this.#parts.log.info('process.stopped', { version: this.#version, exit: reason })
      return this.#stopped()
    }
    if (state.is !== 'running' && state.is !== 'asked') return
    if (state.is === 'running' && this.#parts.world.elapsed() - state.since > steadyMs) this.#failuresInARow = 0
    this.#parts.metrics.add('baton_process_exits_total', 1, this.#version)
    this.#parts.watcher.exited(reason)
    this.#restartLater(reason)
  }

  /** Another one goes on with the process as it runs: whatever happens to it is that one's business. */
  release(): void {
    if (this.#state.is === 'running') this.#state = { is: 'idle' }
  }

  /** SIGTERM, and SIGKILL after the process's `stopTimeout`. Resolves when it is gone, or five seconds after SIGKILL. */
  stop(): Promise<void> {
    const state = this.#state
    if (state.is === 'waiting') state.timer.cancel()
    if (state.is === 'idle' || state.is === 'waiting') {
      this.#state = { is: 'idle' }
      return Promise.resolve()
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    if (state.is === 'stopping') {
      const done = () => {
        state.done()
        resolve()
      }
      this.#state = { ...state, done }
      return promise
    }
    const { apps, world } = this.#parts
    this.#state = { is: 'stopping', timer: world.after(this.#settings.stopTimeoutMs, () => this.#kill()), done: resolve }
    apps.signal(this.app, 'SIGTERM')
    return promise
  }

  #kill(): void {
    const { apps, world, log } = this.#parts
    if (this.#state.is !== 'stopping') return
    log.warn('process.killed', { version: this.#version, after_ms: this.#settings.stopTimeoutMs })
    const giveUp = () => {
      log.error('process.lost', { version: this.#version, hint: 'nobody told of its end; look for it by hand' })
      this.#stopped()
    }
    this.#state = { ...this.#state, timer: world.after(lostMs, giveUp) }
    apps.signal(this.app, 'SIGKILL')
  }

  #stopped(): void {
    const state = this.#state
    if (state.is !== 'stopping') return
    state.timer.cancel()
    this.#state = { is: 'idle' }
    state.done()
  }

  #ask(): void {
    const { command, env, cwd, output, port } = this.#settings
    this.#state = { is: 'asked' }
    this.#parts.metrics.add('baton_process_starts_total', 1, this.#version)
    this.#parts.apps.start({ name: this.app, argv: command, env: { PORT: String(port), ...env }, cwd, output, port })
  }

  #run(pid: number, adopted: boolean): void {
    this.#state = { is: 'running', pid, since: this.#parts.world.elapsed() }
    this.#parts.log.info(adopted ? 'process.adopted' : 'process.started', { version: this.#version, pid, port: this.#settings.port })
    this.#parts.watcher.started(pid, adopted)
  }

  #restartLater(reason: string): void {
    const delayMs = Math.min(backoffMaxMs, backoffBaseMs * 2 ** this.#failuresInARow)
    this.#failuresInARow += 1
    this.#restarts += 1
    this.#parts.log.error('process.exited', {
      version: this.#version,
      exit: reason,
      command: this.#settings.command.join(' '),
      restart_in_ms: delayMs,
    })
    this.#state = { is: 'waiting', timer: this.#parts.world.after(delayMs, () => this.#ask()) }
  }
}

function reasonOf(exit: AppExit): string {
  if (exit.error !== null) return `could not be started: ${exit.error}`
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`
}
