/** What is measured while an upgrade runs, for its receipt. It begins anew with each generation: what a dead one saw is not guessed. */
import type { Latency, Measured } from './receipt.ts'
import type { Upgrade } from './upgrade.ts'
import type { VersionControl } from './version-control.ts'

export class Figures {
  readonly #versions: VersionControl
  readonly #failuresBefore: number
  readonly #before: Latency | null
  #during: Latency | null = null
  #cut = 0

  constructor({ from, to }: Upgrade, versions: VersionControl) {
    this.#versions = versions
    this.#failuresBefore = versions.failures(from) + versions.failures(to)
    this.#before = versions.latency(from)
  }

  /** Exchanges that a drain had to cut. */
  addCut(count: number): void {
    this.#cut += count
  }

  /** At each move: the last look at the new version before traffic is decided on. */
  look({ phase, to }: Upgrade): void {
    if (phase === 'shift' || phase === 'stop-old' || phase === 'rollback') this.#during = this.#versions.latency(to) ?? this.#during
  }

  measured({ phase, from, to }: Upgrade): Measured {
    const failed = this.#versions.failures(from) + this.#versions.failures(to) - this.#failuresBefore
    const after = this.#versions.latency(phase === 'done' ? to : from)
    return { cut: this.#cut, failed, latency: { before: this.#before, during: this.#during, after } }
  }
}
