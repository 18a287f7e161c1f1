/**
 * Where the frames of one direction of a WebSocket end (RFC 6455 section 5.2), so that a frame of our own can be put between two of them.
 * Nothing is kept of what passes but how much of the present frame is still to come.
 */

const opcodeClose = 8

/** `first`, `second`: the two bytes that every frame begins with; `length`: of an extended length; `rest`: masking key and payload. */
type At = 'first' | 'second' | 'length' | 'rest'

export class FrameScanner {
  #at: At = 'first'
  #opcode = 0
  #isMasked = false
  #lengthBytes = 0
  /** Bytes of the present frame that are still to come, once its length is known. */
  #left = 0
  #closeSeen = false

  /** No frame is half-way. */
  get atBoundary(): boolean {
    return this.#at === 'first'
  }

  /** A whole close frame has passed: nothing that follows it means anything. */
  get closeSeen(): boolean {
    return this.#closeSeen
  }

  /** Takes a whole chunk. */
  pass(bytes: Uint8Array): void {
    for (let at = 0; at !== -1 && at < bytes.length; ) at = this.next(bytes, at)
  }

  /** Takes the bytes from `from` on to the end of the present frame, or of the one that begins there. Gives where it ended, -1 if it did not. */
  next(bytes: Uint8Array, from: number): number {
    let at = from
    while (this.#at !== 'rest') {
      if (at >= bytes.length) return -1
      this.#head(bytes[at] ?? 0)
      at += 1
    }
    const here = bytes.length - at
    if (this.#left > here) {
      this.#left -= here
      return -1
    }
    at += this.#left
    this.#at = 'first'
    if (this.#opcode === opcodeClose) this.#closeSeen = true
    return at
  }

  #head(byte: number): void {
    if (this.#at === 'first') {
      this.#opcode = byte & 0x0f
      this.#at = 'second'
    } else if (this.#at === 'second') {
      this.#isMasked = byte >= 0x80
      const length = byte & 0x7f
      this.#lengthBytes = length === 127 ? 8 : length === 126 ? 2 : 0
      this.#left = this.#lengthBytes === 0 ? length : 0
      this.#lengthDone()
    } else {
      this.#left = this.#left * 256 + byte
      this.#lengthBytes -= 1
      this.#lengthDone()
    }
  }

  /** The masking key counts as payload: it only has to be passed. A length that no peer can mean never ends. */
  #lengthDone(): void {
    this.#at = this.#lengthBytes > 0 ? 'length' : 'rest'
    if (this.#lengthBytes > 0) return
    if (this.#left > Number.MAX_SAFE_INTEGER) this.#left = Number.POSITIVE_INFINITY
    else if (this.#isMasked) this.#left += 4
  }
}

/** A close frame (RFC 6455 section 5.5.1). A client's frames are masked, with a key of 32 bits; a server's are not: null. */
export function closeFrame(code: number, maskKey: number | null): Uint8Array {
  const [high, low] = [code >>> 8, code & 0xff]
  if (maskKey === null) return Uint8Array.of(0x88, 2, high, low)
  const key = Uint8Array.of(maskKey >>> 24, maskKey >>> 16, maskKey >>> 8, maskKey)
  return Uint8Array.of(0x88, 0x82, ...key, high ^ (key[0] ?? 0), low ^ (key[1] ?? 0))
}
