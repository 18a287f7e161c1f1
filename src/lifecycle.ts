/** Parts start in order and stop in reverse. Stopping is idempotent, and a part that fails to start stops those before it. */
import { BatonError, errorMessage } from './errors.ts'

export interface Part {
  readonly name: string
  start(): Promise<void> | void
  stop(): Promise<void> | void
}

export class Lifecycle {
  readonly #parts: readonly Part[]
  readonly #started: Part[] = []
  #stopping: Promise<void> | null = null

  constructor(parts: readonly Part[]) {
    this.#parts = parts
  }

  /** @throws what the part threw, after the ones before it have stopped. */
  async start(): Promise<void> {
    for (const part of this.#parts) {
      if (this.#stopping !== null) return
      // before its start: a part that failed half-way has something to close as well
      this.#started.push(part)
      try {
        await part.start()
      } catch (error) {
        // what could not be stopped is told to who calls `stop`; here it would hide why there was a stop at all
        await Promise.allSettled([this.stop()])
        throw error
      }
    }
  }

  /** @throws BatonError `start` naming each part that could not be stopped, after all have been tried. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const failures: string[] = []
    for (let part = this.#started.pop(); part !== undefined; part = this.#started.pop()) {
      try {
        await part.stop()
      } catch (error) {
        failures.push(`${part.name}: ${errorMessage(error)}`)
      }
    }
    if (failures.length > 0) throw new BatonError('start', `did not stop cleanly: ${failures.join('; ')}`)
  }
}
