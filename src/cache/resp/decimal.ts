/** The index that stands for "the number goes on in the next chunk". */
export const more = -1
/** The index that stands for "this is no number". */
export const bad = -2

/** Far above any length, and far below where numbers lose digits. */
const maxDigits = 15
const [cr, lf, minus, zero, nine] = [13, 10, 45, 48, 57]

/**
 * Reads the decimal line of a length or a count, wherever the chunks are cut. As strict as Redis's string2ll: no plus, no leading zero, no
 * -0; and stricter at the end, where Redis takes any byte for the LF.
 */
export class Decimal {
  /** Of the line that was read last. */
  value = 0
  #magnitude = 0
  #digits = 0
  #negative = false
  #ended = false

  /** @returns the index after the line, `more`, or `bad`. After an index the next call begins a new number. */
  read(chunk: Buffer, at: number): number {
    for (; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (this.#ended) return byte === lf ? this.#end(at + 1) : bad
      if (byte >= zero && byte <= nine) {
        if ((this.#magnitude === 0 && this.#digits > 0) || this.#digits === maxDigits) return bad
        this.#magnitude = this.#magnitude * 10 + byte - zero
        this.#digits++
      } else if (byte === cr) {
        if (this.#digits === 0 || (this.#negative && this.#magnitude === 0)) return bad
        this.#ended = true
      } else if (byte === minus && this.#digits === 0 && !this.#negative) {
        this.#negative = true
      } else {
        return bad
      }
    }
    return more
  }

  #end(at: number): number {
    this.value = this.#negative ? -this.#magnitude : this.#magnitude
    this.#magnitude = 0
    this.#digits = 0
    this.#negative = false
    this.#ended = false
    return at
  }
}
