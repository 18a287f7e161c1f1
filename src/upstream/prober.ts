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

  constructor(version: Version, world: World, metrics: Metrics) {
    this.#version = version
    this.#world = world
    this.#metrics = metrics
  }

  /** Probes now; also when a reason to look came up between two probes. */
  wake(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (this.#running || this.#stopped.signal.aborted) return
    this.#running = true
    this.#probe()
      .catch((error: unknown) => this.#version.probed({ is: 'fail', reason: errorMessage(error) }))
      .finally(() => this.#next())
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
    const { intervalMs, fastIntervalMs } = this.#version.health
    this.#timer = this.#world.after(this.#version.undecided ? fastIntervalMs : intervalMs, () => this.wake())
  }
}
