/** A request's body as far as it was read, kept for a second attempt while it is small enough. */
import type { Head } from './inbound/inbound.ts'

export class Replay {
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  readonly #limit: number

  private constructor(limit: number) {
    this.#limit = limit
  }

  /** null where the length rules a replay out. What a method allows is `isRetriable`'s business. */
  static for(head: Head, limit: number): Replay | null {
    if (head.upgrade !== null) return null
    return typeof head.body === 'number' && head.body > limit ? null : new Replay(limit)
  }

  /** All that was read is here. */
  get isWhole(): boolean {
    return this.#bytes <= this.#limit
  }
  get chunks(): readonly Uint8Array[] {
    return this.#chunks
  }

  keep(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    if (this.isWhole) this.#chunks.push(bytes)
    else this.#chunks.length = 0
  }
}
