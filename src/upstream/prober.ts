/** Probes one version on its schedule: fast while it is undecided, else at its interval. One probe at a time. */
import { errorMessage } from '../errors.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Timer, World } from '../world.ts'
import { check } from './check.ts'
import type { Version } from './version.ts'

export class Prober {
  readonly #version: Version
  readonly #world: World
  readonly #metrics: Metrics
  readonly #stopped = new AbortController()
  #timer: Timer | null = null
  #running = false
  #again = false
  #begunAt = 0
  #dueAt = 0

  constructor(version: Version, world: World, metrics: Metrics) {
    this.#version = version
    this.#world = world
    this.#metrics = metrics
  }

  /** Probes now, as at its start and after a move: what a probe that is under way says may be of the former place. */
  wake(): void {
    if (this.#stopped.signal.aborted) return
    this.#timer?.cancel()
    this.#timer = null
    this.#again = this.#running
    if (this.#running) return
    this.#running = true
    this.#begunAt = this.#world.elapsed()
    this.#probe()
      .catch((error: unknown) => this.#version.probed({ is: 'fail', reason: errorMessage(error) }))
      .finally(() => this.#next())
  }

  /** Exchanges found it failing. Looks before the interval is over, but never more often than while it is undecided. */
  suspect(): void {
    if (this.#timer === null) return
    const now = this.#world.elapsed()
    const at = this.#begunAt + this.#version.health.fastIntervalMs
    if (at <= now) this.wake()
    else if (at < this.#dueAt) this.#schedule(at - now)
  }

  stop(): void {
    this.#stopped.abort()
    this.#timer?.cancel()
  }

  async #probe(): Promise<void> {
    const { endpoint, health } = this.#version
    if (endpoint === null) return
    const outcome = await check(health.probe, endpoint, health.timeoutMs, this.#stopped.signal)
    // a place that the version has left meanwhile says nothing about the present one
    if (this.#stopped.signal.aborted || this.#version.endpoint !== endpoint) return
    this.#metrics.add('baton_probes_total', 1, this.#version.name, outcome.is)
    this.#version.probed(outcome)
  }

  #next(): void {
    this.#running = false
    if (this.#stopped.signal.aborted) return
    if (this.#again) return this.wake()
    const { intervalMs, fastIntervalMs } = this.#version.health
    this.#schedule(this.#version.undecided ? fastIntervalMs : intervalMs)
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    this.#dueAt = this.#world.elapsed() + delayMs
    this.#timer = this.#world.after(delayMs, () => this.wake())
  }
}
