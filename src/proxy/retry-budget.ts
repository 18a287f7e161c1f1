/** How many second attempts are allowed: a share of the exchanges of the last ten seconds, and always a few (Envoy's retry budget). */
import type { RetrySettings } from '../config/settings.ts'

const seconds = 10

export class RetryBudget {
  readonly #exchanges = new Float64Array(seconds)
  readonly #retries = new Float64Array(seconds)
  #second = 0

  /** An exchange has begun. `nowMs` is monotonic. */
  began(nowMs: number): void {
    const at = this.#at(nowMs)
    this.#exchanges[at] = (this.#exchanges[at] ?? 0) + 1
  }

  /** Takes one retry from the budget; false if there is none. */
  take(nowMs: number, { budget, min }: Pick<RetrySettings, 'budget' | 'min'>): boolean {
    const at = this.#at(nowMs)
    if (sum(this.#retries) >= Math.max(min, budget * sum(this.#exchanges))) return false
    this.#retries[at] = (this.#retries[at] ?? 0) + 1
    return true
  }

  /** Moves the window up to now, emptying the seconds that it passes. */
  #at(nowMs: number): number {
    const second = Math.trunc(nowMs / 1000)
    if (second === this.#second) return second % seconds
    for (let passed = Math.max(this.#second + 1, second - seconds + 1); passed <= second; passed += 1) {
      this.#exchanges[passed % seconds] = 0
      this.#retries[passed % seconds] = 0
    }
    this.#second = second
    return second % seconds
  }
}

function sum(counts: Float64Array): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
