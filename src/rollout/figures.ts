/** What is measured while an upgrade runs, for its receipt. It begins anew with each generation: what a dead one saw is not guessed. */
import type { Latency, Measured } from './receipt.ts'
import type { Upgrade } from './upgrade.ts'
import type { VersionControl } from './version-control.ts'
import type { WarmCoverage, Warmed } from './warmed.ts'

interface Counts {
  readonly cut: number
  readonly failed: number
}

export class Figures {
  readonly #versions: VersionControl
  readonly #countsBefore: Counts
  readonly #before: Latency | null
  #during: Latency | null = null
  #warm: WarmCoverage | null = null

  constructor(upgrade: Upgrade, versions: VersionControl) {
    this.#versions = versions
    this.#countsBefore = countsOf(upgrade, versions)
    this.#before = versions.latency(upgrade.from)
  }

  /** At each move: the last look at the new version before traffic is decided on. */
  look({ phase, to }: Upgrade): void {
    if (phase === 'shift' || phase === 'stop-old' || phase === 'rollback') this.#during = this.#versions.latency(to) ?? this.#during
  }

  warmed(warmed: Warmed): void {
    this.#warm = warmed.is === 'none' ? null : warmed.coverage
  }

  measured(upgrade: Upgrade): Measured {
    const { phase, from, to } = upgrade
    const { cut, failed } = countsOf(upgrade, this.#versions)
    const after = this.#versions.latency(phase === 'done' ? to : from)
    return {
      cut: cut - this.#countsBefore.cut,
      failed: failed - this.#countsBefore.failed,
      latency: { before: this.#before, during: this.#during, after },
      warm: this.#warm,
    }
  }
}

/** An exchange that found no version serving, or that waited too long for its turn, is nobody's: the upgrade answers for it. */
function countsOf({ from, to }: Upgrade, versions: VersionControl): Counts {
  return {
    cut: versions.cuts(from) + versions.cuts(to),
    failed: versions.failures(from) + versions.failures(to) + versions.failures(null),
  }
}
