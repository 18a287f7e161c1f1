/**
 * Where the events of a `text/event-stream` end: after a blank line, whose ends may be CR, LF or both (the HTML standard, section 9.2.5).
 * An event that is half-way when its stream ends is lost to the client; between two of them nothing is.
 */

const cr = 0x0d
const lf = 0x0a

export class EventStreamEnd {
  /** The last three bytes that have passed; more than them does not matter. A stream begins as if after a blank line. */
  #tail = (lf << 8) | lf

  /** No event is half-way. */
  get atBoundary(): boolean {
    return isBlankLine(this.#tail)
  }

  /** Takes a whole chunk. */
  pass(bytes: Uint8Array): void {
    for (let at = Math.max(0, bytes.length - 3); at < bytes.length; at += 1) this.#take(bytes[at] ?? 0)
  }

  /** Takes the bytes up to the end of the first event that ends in them. Gives where it ended, -1 if none did. */
  next(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length; at += 1) {
      this.#take(bytes[at] ?? 0)
      if (isBlankLine(this.#tail)) return at + 1
    }
    return -1
  }

  #take(byte: number): void {
    this.#tail = ((this.#tail << 8) | byte) & 0xffffff
  }
}

/** `tail`: three bytes, the last one lowest. A CR after a LF is no end yet: its own LF follows, which some clients look for. */
function isBlankLine(tail: number): boolean {
  const last = tail & 0xff
  const before = (tail >>> 8) & 0xff
  if (last === cr) return before === cr
  if (last !== lf) return false
  return before === lf || (before === cr && isLineEnd(tail >>> 16))
}

function isLineEnd(byte: number): boolean {
  return byte === cr || byte === lf
}
