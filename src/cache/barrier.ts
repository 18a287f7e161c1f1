/** Waits until all that Redis had told before now has been heard. Who asks in one tick shares one; one that is under way does not count. */
export class Barrier {
  /** Starts one; null where there is nothing to wait for. Rejects when the session is lost: what it was about is held no more. */
  readonly #begin: () => Promise<void> | null
  /** Of those that asked in this tick. */
  #next: Promise<void> | null = null

  constructor(begin: () => Promise<void> | null) {
    this.#begin = begin
  }

  /** Never rejects. */
  reached(): Promise<void> {
    this.#next ??= this.#soon()
    return this.#next
  }

  async #soon(): Promise<void> {
    // asked for by promise jobs of this tick as well
    await null
    this.#next = null
    // lost: the views are empty, so there is nothing left that could be too old
    await this.#begin()?.catch(() => {})
  }
}
