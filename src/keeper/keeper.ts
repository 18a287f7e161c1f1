/**
 * The tiny first process: it binds the sockets and is the parent of baton's generations and of managed apps (DESIGN.md section 2).
 * It reads no configuration, parses no request and decides nothing about apps, so that it has no reason to die.
 *
 *   starting ── first ready ──► serving ─ the generation leaves ─► leaving ──► ended
 *       │                          │                                  │
 *       └──────────────────────────┴──────────── TERM, INT ───────────┴──► stopping ──► ended
 *                                                                             └─ again ─► killing ─► ended
 *
 * A generation that ends with 0 was the ordered end, in every state. Any other end: while starting, baton ends with that code;
 * while serving, the next one is started (at once, then with backoff); while leaving, stopping or killing, baton ends with 1.
 */
import { spawnSync } from 'node:child_process'
import { isatty } from 'node:tty'
import { BatonError, errorMessage, exitCode } from '../errors.ts'
import type { World } from '../world.ts'
import { Apps } from './apps.ts'
import { type Generation, type GenerationEnd, restartDelayMs, startGeneration } from './generation.ts'
import { type Lock, takeLock } from './lock.ts'
import type { KeeperLog } from './log.ts'
import { type AppExit, type ListenersOutput, protocolVersion, type ToGeneration, type ToKeeper } from './protocol.ts'
import { inheritedSockets, openSockets, type Sockets, withoutSockets } from './sockets.ts'

export interface KeeperTiming {
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  /** Ready for this long, a generation counts as steady: the next crash starts the backoff anew. */
  readonly steadyMs: number
  /** A second signal sooner than this is the same press of a key, told twice. */
  readonly secondSignalMs: number
  /** From `stop-now` to SIGKILL of every group. */
  readonly killMs: number
  /** From SIGTERM to SIGKILL where the keeper stops something itself. */
  readonly stopMs: number
}

export const keeperTiming: KeeperTiming = {
  backoffBaseMs: 100,
  backoffMaxMs: 5_000,
  steadyMs: 60_000,
  secondSignalMs: 500,
  killMs: 200,
  stopMs: 10_000,
}

export interface KeeperOptions {
  /** Prints `ListenersOutput`; its exit code, if not 0, becomes the keeper's. */
  readonly listenersArgv: readonly string[]
  readonly generationArgv: readonly string[]
  readonly world: World
  readonly log: KeeperLog
  readonly timing: KeeperTiming
}

/** Resolves with the process's exit code. @throws BatonError `unsupported`, `locked`, `state`, `bind`, `start`. */
export async function keep(options: KeeperOptions): Promise<number> {
  const { world } = options
  if (world.platform === 'win32') throw new BatonError('unsupported', 'baton runs on Linux, and on macOS for development; not on Windows')
  world.onSignal('SIGUSR1', () => undefined) // Without a handler this opens Node's inspector.
  const wanted = readListeners(options.listenersArgv)
  if (typeof wanted === 'number') return wanted
  const lock = takeLock(wanted.state, world.pid)
  try {
    const sockets = await openSockets(wanted.listeners, inheritedSockets(world.env, world.pid))
    return await new Keeper(options, wanted.state, lock, sockets).run().finally(() => sockets.close())
  } finally {
    lock.release()
  }
}

/** Runs the code on disk once. Its faults are on stderr already; then its exit code is the answer. */
function readListeners(argv: readonly string[]): ListenersOutput | number {
  const [command = '', ...args] = argv
  const result = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 20, timeout: 60_000, encoding: 'utf8' })
  if (result.status === null)
    throw new BatonError('start', `reading the configuration ended early (${result.error?.message ?? result.signal})`)
  if (result.status !== 0) return result.status
  try {
    return JSON.parse(result.stdout) as ListenersOutput
  } catch (error) {
    throw new BatonError('start', `"${argv.join(' ')}" printed no listeners`, error)
  }
}

class Keeper {
  readonly #options: KeeperOptions
  /** State folder, absolute. */
  readonly #folder: string
  readonly #lock: Lock
  readonly #sockets: Sockets
  readonly #apps: Apps
  #state: 'starting' | 'serving' | 'leaving' | 'stopping' | 'killing' | 'ended' = 'starting'
  #generation: Generation | null = null
  #restarts = 0
  #readyAt: number | null = null
  #stopAt = 0
  #done: (code: number) => void = () => undefined

  constructor(options: KeeperOptions, folder: string, lock: Lock, sockets: Sockets) {
    this.#options = options
    this.#folder = folder
    this.#lock = lock
    this.#sockets = sockets
    this.#apps = new Apps(options.world, options.timing.stopMs, (exit) => this.#appsChanged(exit))
  }

  run(): Promise<number> {
    const { world, log } = this.#options
    world.onSignal('SIGTERM', () => this.#stopSignal())
    world.onSignal('SIGINT', () => this.#stopSignal())
    // A closed terminal is an end; without one, SIGHUP is the old word for "read your configuration again".
    const hasTerminal = isatty(0) // Asked now: one that is closed says no.
    world.onSignal('SIGHUP', () => (hasTerminal ? this.#stopSignal() : this.#tell({ v: protocolVersion, is: 'reload' })))
    world.onSignal('SIGUSR2', () =>
      log('warn', 'keeper.upgrade-refused', "SIGUSR2, baton's own upgrade, is refused: this build cannot do it; nothing changed"),
    )
    // Between two generations nothing else keeps the process alive: bound sockets do not, and timers of the world do not.
    const alive = setInterval(() => undefined, 2 ** 30)
    return new Promise<number>((resolve) => {
      this.#done = resolve
      this.#startGeneration()
    }).finally(() => clearInterval(alive))
  }

  #startGeneration(): void {
    if (this.#state !== 'starting' && this.#state !== 'serving') return
    const { generationArgv, world } = this.#options
    this.#readyAt = null
    // so that it finds what was last good even if the file that would say where is gone
    this.#generation = startGeneration(generationArgv, { ...withoutSockets(world.env), BATON_STATE: this.#folder }, this.#sockets.fds, {
      said: (message) => this.#said(message),
      ended: (end) => this.#generationEnded(end),
    })
    this.#nameInLock(this.#generation.pid)
    this.#tell({ v: protocolVersion, is: 'apps', apps: this.#apps.list() })
  }

  /** A full disk must not end the keeper: the lock still names it, and only a lost keeper's generation goes unnamed. */
  #nameInLock(pid: number): void {
    try {
      this.#lock.name(pid)
    } catch (error) {
      this.#options.log('warn', 'keeper.lock-stale', `${errorMessage(error)}; the lock does not name generation ${pid}`)
    }
  }

  #said(message: ToKeeper): void {
    switch (message.is) {
      case 'ready':
        this.#readyAt = this.#options.world.elapsed()
        if (this.#state === 'starting') this.#state = 'serving'
        break
      case 'leaving':
        if (this.#state === 'starting' || this.#state === 'serving') this.#leave()
        break
      case 'app-start':
        this.#apps.start(message.app)
        break
      case 'app-adopt':
        this.#apps.adopt(message.apps)
        break
      case 'app-signal':
        this.#apps.signal(message.name, message.signal)
        break
    }
  }

  #appsChanged(exit: AppExit | null): void {
    this.#tell({ v: protocolVersion, is: 'apps', apps: this.#apps.list() })
    if (exit !== null) this.#tell({ v: protocolVersion, is: 'app-exit', exit })
  }

  #tell(message: ToGeneration): void {
    this.#generation?.send(message)
  }

  #generationEnded(end: GenerationEnd): void {
    const pid = this.#generation?.pid
    this.#generation = null
    if (this.#state === 'serving' && end.code !== 0) this.#startNext(pid, end)
    else if (this.#state === 'killing') void this.#end(exitCode.failed, 'kill')
    else if (end.code === 0) void this.#end(exitCode.done, 'kill')
    else void this.#end(this.#state === 'starting' && end.code !== null ? end.code : exitCode.failed, 'stop', end)
  }

  #startNext(pid: number | undefined, end: GenerationEnd): void {
    const delayMs = this.#nextDelayMs()
    const next = delayMs === 0 ? 'now' : `in ${delayMs} ms`
    this.#options.log('error', 'keeper.generation-ended', `generation ${pid} ended (${describe(end)}); the next one starts ${next}`, {
      pid,
      ...end,
      delayMs,
    })
    this.#options.world.after(delayMs, () => this.#startGeneration())
  }

  #nextDelayMs(): number {
    const { world, timing } = this.#options
    if (this.#readyAt !== null && world.elapsed() - this.#readyAt >= timing.steadyMs) this.#restarts = 0
    return restartDelayMs(this.#restarts++, timing.backoffBaseMs, timing.backoffMaxMs)
  }

  #stopSignal(): void {
    const { world, timing, log } = this.#options
    const knows = this.#state === 'leaving'
    if (this.#state === 'starting' || this.#state === 'serving' || knows) {
      this.#leave()
      this.#state = 'stopping'
      this.#stopAt = world.elapsed()
      if (this.#generation === null) void this.#end(exitCode.done, 'stop')
      if (!knows) this.#tell({ v: protocolVersion, is: 'stop' })
      return
    }
    if (world.elapsed() - this.#stopAt < timing.secondSignalMs || this.#state === 'killing') return
    if (this.#state === 'ended') {
      this.#apps.killAll() // Left to be waited for are apps that were asked to stop.
      return
    }
    log('warn', 'keeper.killed', 'second signal: everything is killed now')
    this.#state = 'killing'
    this.#tell({ v: protocolVersion, is: 'stop-now' })
    world.after(timing.killMs, () => void this.#end(exitCode.failed, 'kill'))
  }

  /** No next generation comes, so the ports are the present one's to give up. */
  #leave(): void {
    this.#state = 'leaving'
    this.#sockets.letGo()
  }

  /** The one way out: what is left of the apps goes first, then the generation, then run() resolves. */
  async #end(code: number, left: 'stop' | 'kill', why?: GenerationEnd): Promise<void> {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    if (why?.code === null)
      this.#options.log('error', 'keeper.generation-ended', `the generation ended out of order (${describe(why)}); baton ends`)
    this.#generation?.kill()
    if (left === 'kill') this.#apps.killAll()
    await (left === 'kill' ? this.#apps.gone() : this.#apps.stopAll())
    this.#done(code)
  }
}

function describe(end: GenerationEnd): string {
  return end.error ?? (end.signal === null ? `exit code ${end.code}` : `killed by ${end.signal}`)
}
