/**
 * The managed apps' processes: started in a group of their own, signalled as a group, reaped, reported. Decides nothing.
 * An app has exited once its whole group is gone, so that a restart never meets a left-over of the last one on its port.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorMessage } from '../errors.ts'
import type { World } from '../world.ts'
import { makeFolder } from './folder.ts'
import { identify, isAlive, signalGroup } from './proc.ts'
import type { AppExit, AppProcess, AppStart } from './protocol.ts'
import { withoutSockets } from './sockets.ts'

/** Between looks at what is left of a group whose leader has exited. */
const pollMs = 50

export class Apps {
  readonly #running = new Map<string, AppProcess>()
  /** The pids whose group has been sent SIGTERM: a second one means "at once" to many an app, and is not ours to add. */
  readonly #termed = new Set<number>()
  readonly #world: World
  /** From SIGTERM to SIGKILL where the keeper itself stops something. */
  readonly #stopMs: number
  readonly #changed: (exit: AppExit | null) => void

  /** `changed` is called after each start, and with the exit after each end. */
  constructor(world: World, stopMs: number, changed: (exit: AppExit | null) => void) {
    this.#world = world
    this.#stopMs = stopMs
    this.#changed = changed
  }

  list(): AppProcess[] {
    return [...this.#running.values()]
  }

  /** A name that runs already is left alone: a generation that came after a crash may not know yet. */
  start(app: AppStart): void {
    try {
      if (this.#running.has(app.name)) this.#changed(null)
      else this.#watch(app, this.#spawn(app))
    } catch (error) {
      this.#changed({ name: app.name, pid: 0, code: null, signal: null, error: errorMessage(error) })
    }
  }

  /** Not our children: they cannot be reaped, so they are looked at. A name that runs already, or a process that is another one now, is left alone. */
  adopt(apps: readonly AppProcess[]): void {
    for (const app of apps) if (!this.#running.has(app.name) && isAlive(app)) this.#follow(app)
    this.#changed(null)
  }

  signal(name: string, signal: NodeJS.Signals): void {
    const app = this.#running.get(name)
    if (app === undefined) return
    if (signal === 'SIGTERM') this.#termed.add(app.pid)
    signalGroup(app.pid, signal)
  }

  killAll(): void {
    for (const app of this.#running.values()) signalGroup(app.pid, 'SIGKILL')
  }

  /** SIGTERM to each group, SIGKILL to what is left. */
  async stopAll(): Promise<void> {
    for (const { name } of this.#running.values()) this.signal(name, 'SIGTERM')
    const kill = this.#world.after(this.#stopMs, () => this.killAll())
    await this.gone()
    kill.cancel()
  }

  /** Resolves when nothing is left, or what is left does not even die of SIGKILL (stuck in the kernel). */
  gone(): Promise<void> {
    const deadline = this.#world.elapsed() + 2 * this.#stopMs
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#running.size === 0 || this.#world.elapsed() > deadline) resolve()
        else this.#world.after(pollMs / 5, look)
      }
      look()
    })
  }

  #spawn(app: AppStart): ChildProcess {
    const [command, ...args] = app.argv
    if (command === undefined) throw new Error('no command')
    const output = app.output.is === 'inherit' ? 'inherit' : openOutput(app.output.path)
    try {
      return spawn(command, args, {
        cwd: app.cwd,
        env: { ...withoutSockets(this.#world.env), PORT: String(app.port), ...app.env },
        detached: true,
        stdio: ['ignore', output, output],
      })
    } finally {
      if (typeof output === 'number') closeSync(output)
    }
  }

  #watch(app: AppStart, child: ChildProcess): void {
    const { name, port } = app
    child.once('error', (error) => {
      if (child.pid === undefined) this.#changed({ name, pid: 0, code: null, signal: null, error: error.message })
    })
    if (child.pid === undefined) return
    const running: AppProcess = { name, port, ...identify(child.pid) }
    this.#running.set(name, running)
    child.once('exit', (code, signal) => this.#leaderEnded({ name, pid: running.pid, code, signal, error: null }))
    this.#changed(null)
  }

  #follow(app: AppProcess): void {
    this.#running.set(app.name, app)
    const look = (): void => {
      if (isAlive(app)) this.#world.after(pollMs, look)
      else this.#leaderEnded({ name: app.name, pid: app.pid, code: null, signal: null, error: null })
    }
    look()
  }

  /** What the leader left behind is sent SIGTERM, unless it was already, and killed when its time is up. */
  #leaderEnded(exit: AppExit): void {
    const deadline = this.#world.elapsed() + this.#stopMs
    let killed = false
    const look = (): void => {
      if (killed || !signalGroup(exit.pid, 0)) return this.#gone(exit)
      killed = this.#world.elapsed() > deadline
      if (killed) signalGroup(exit.pid, 'SIGKILL')
      else if (!this.#termed.has(exit.pid)) this.signal(exit.name, 'SIGTERM')
      this.#world.after(pollMs, look)
    }
    look()
  }

  #gone(exit: AppExit): void {
    this.#running.delete(exit.name)
    this.#termed.delete(exit.pid)
    this.#changed(exit)
  }
}

function openOutput(path: string): number {
  makeFolder(dirname(path))
  return openSync(path, 'a', 0o600)
}
