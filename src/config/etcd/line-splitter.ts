/** Chunks → the lines that they complete. What is kept between two chunks is bounded. */
export class LineSplitter {
  readonly #maxBytes: number
  #parts: Buffer[] = []
  #size = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Without their line feeds; empty ones are left out. @throws Error when a line is longer than allowed. */
  take(chunk: Buffer): string[] {
    const lines: string[] = []
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, end))
      if (this.#size > 0) lines.push(Buffer.concat(this.#parts).toString())
      this.#parts = []
      this.#size = 0
      from = end + 1
    }
    this.#keep(chunk.subarray(from))
    return lines
  }

  #keep(part: Buffer): void {
    this.#size += part.length
    if (this.#size > this.#maxBytes) throw new Error(`a line of more than ${this.#maxBytes} bytes`)
    if (part.length > 0) this.#parts.push(part)
  }
}
