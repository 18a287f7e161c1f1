/** The ledger in memory, never ahead of the one on disk; and the one queue in which everything that changes it takes its turn. */
import type { Journal } from './journal.ts'
import { type Ledger, runningIn } from './ledger.ts'
import type { Upgrade } from './upgrade.ts'

export class LedgerKeeper {
  readonly #journal: Pick<Journal, 'write'>
  #ledger: Ledger
  #queue: Promise<unknown> = Promise.resolve()

  constructor(ledger: Ledger, journal: Pick<Journal, 'write'>) {
    this.#ledger = ledger
    this.#journal = journal
  }

  get ledger(): Ledger {
    return this.#ledger
  }

  /** The upgrade under way; null if there is none. */
  get running(): Upgrade | null {
    return runningIn(this.#ledger)
  }

  /** Whether it stands where it stood then: `seq` begins anew with each upgrade. */
  isAt({ id, seq }: Upgrade): boolean {
    const { running } = this
    return running?.id === id && running.seq === seq
  }

  /** Only within a turn. Rejects with the system's error; then the former ledger stands. */
  async write(change: Partial<Ledger>): Promise<void> {
    const next = { ...this.#ledger, ...change }
    await this.#journal.write(next)
    this.#ledger = next
  }

  /** Runs `act` when those before it have ended. What it throws is its caller's. */
  inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(act)
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  /** Resolves when nothing waits for its turn. */
  idle(): Promise<unknown> {
    return this.#queue
  }
}
