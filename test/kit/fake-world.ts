/** A world whose clock stands still until the test moves it: timers run in their order, inside `advance`. */
import type { Timer, World } from '../../src/world.ts'

interface Pending {
  readonly id: number
  at: number
  readonly periodMs: number | null
  readonly run: () => void
}

export class FakeWorld implements World {
  env: Record<string, string | undefined> = {}
  readonly pid = 4711
  readonly platform = 'linux'
  /** What `random` gives. */
  drawn = 0.5
  /** Where the clock began; only differences mean anything. */
  readonly #epoch = Date.UTC(2026, 10, 24, 7, 2, 11)
  #elapsed = 1_000
  #lastId = 0
  readonly #pending = new Map<number, Pending>()
  readonly #signals = new Map<NodeJS.Signals, Set<() => void>>()

  now(): number {
    return this.#epoch + this.#elapsed
  }

  elapsed(): number {
    return this.#elapsed
  }

  random(): number {
    return this.drawn
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#add(delayMs, null, run)
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#add(periodMs, periodMs, run)
  }

  onSignal(signal: NodeJS.Signals, run: () => void): () => void {
    const listeners = this.#signals.get(signal) ?? new Set()
    this.#signals.set(signal, listeners.add(run))
    return () => listeners.delete(run)
  }

  signal(signal: NodeJS.Signals): void {
    for (const run of this.#signals.get(signal) ?? []) run()
  }

  /** Timers that would still run. */
  get timers(): number {
    return this.#pending.size
  }

  /** How long until each pending timer, shortest first. */
  get delays(): readonly number[] {
    return [...this.#pending.values()].map(({ at }) => at - this.#elapsed).sort((a, b) => a - b)
  }

  /** Moves the clock, running on its way what is due, each at its time. */
  advance(ms: number): void {
    const until = this.#elapsed + ms
    for (let next = this.#due(until); next !== undefined; next = this.#due(until)) {
      this.#elapsed = Math.max(this.#elapsed, next.at)
      if (next.periodMs === null) this.#pending.delete(next.id)
      else next.at += next.periodMs
      next.run()
    }
    this.#elapsed = until
  }

  #add(delayMs: number, periodMs: number | null, run: () => void): Timer {
    this.#lastId += 1
    const id = this.#lastId
    this.#pending.set(id, { id, at: this.#elapsed + delayMs, periodMs, run })
    return { cancel: () => this.#pending.delete(id) }
  }

  #due(until: number): Pending | undefined {
    const due = [...this.#pending.values()].filter(({ at }) => at <= until)
    return due.sort((a, b) => a.at - b.at || a.id - b.id)[0]
  }
}
