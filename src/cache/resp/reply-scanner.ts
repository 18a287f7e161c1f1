import { bad, Decimal, more } from './decimal.ts'
import { ProtocolError } from './protocol-error.ts'

type State = 'type' | 'line' | 'line-end' | 'length' | 'bulk'

const [lf, cr] = [10, 13]
/** First bytes of RESP's types: those that are a line, those that are bytes of a length, and those that are a count of others. */
const [simple, error, integer, nothing, boolean, double, bigNumber] = [43, 45, 58, 95, 35, 44, 40]
const [bulk, bulkError, verbatim] = [36, 33, 61]
const [array, map, set, push, attribute] = [42, 37, 126, 62, 124]

/** The longest name of a push that is told; a longer one is cut. */
const maxPushKind = 64

/**
 * Finds where the replies of an upstream end, RESP2 and RESP3, and materialises none of them. Nesting costs nothing: all that is known is how
 * many elements are still to come. Attributes belong to the frame that they precede. A streamed type (`$?`, `*?`), which no Redis sends, is
 * a ProtocolError.
 */
export class ReplyScanner {
  readonly #number = new Decimal()
  #state: State = 'type'
  #idle = true
  /** Elements that are still to come, the open one included. */
  #left = 0
  /** The type whose length or count is read. */
  #type = 0
  #missing = 0
  #kind = 0
  #size = 0
  #pushKind = ''
  /** Where `pushKind` stands: its element is next, is being read, or is not to be read. */
  #naming: 'next' | 'now' | 'no' = 'no'

  /** First byte of the frame that is open or was just completed, after attributes: 45 is an error, 62 a push. 0 when none has begun. */
  get kind(): number {
    return this.#kind
  }

  /** Bytes of that frame so far, attributes included. */
  get size(): number {
    return this.#size
  }

  /** Of a push that is complete its first element's text, as latin1 and cut after 64 characters: `message`, `invalidate`. Else ''. */
  get pushKind(): string {
    return this.#pushKind
  }

  /** Between two frames. */
  get idle(): boolean {
    return this.#idle
  }

  /**
   * Scans from `offset`.
   * @returns the index just after the frame that is open, or -1 if it goes on in the next chunk. After an index the next call begins a new frame.
   * @throws ProtocolError, and then the scanner is of no more use
   */
  scan(chunk: Buffer, offset: number): number {
    if (offset >= chunk.length) return more
    if (this.#idle) this.#begin()
    let at = offset
    while (at < chunk.length && this.#left > 0) at = this.#step(chunk, at)
    this.#size += at - offset
    if (this.#left > 0) return more
    this.#idle = true
    return at
  }

  #begin(): void {
    this.#idle = false
    this.#left = 1
    this.#kind = 0
    this.#size = 0
    this.#pushKind = ''
    this.#naming = 'no'
  }

  /** Reads one thing, or what there is of it. @returns the index after that. */
  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'type':
        this.#open(chunk[at] ?? 0)
        return at + 1
      case 'line':
        return this.#readLine(chunk, at)
      case 'line-end':
        if (chunk[at] !== lf) throw new ProtocolError('expected LF after CR in a reply')
        this.#close()
        return at + 1
      case 'length':
        return this.#readLength(chunk, at)
      case 'bulk':
        return this.#readBulk(chunk, at)
    }
  }

  #open(type: number): void {
    this.#type = type
    this.#state = stateAfter(type)
    if (this.#naming === 'next') this.#naming = type === bulk || type === simple ? 'now' : 'no'
    // after leading attributes the frame itself is the last element that is missing
    if (this.#kind !== 0 || this.#left > 1 || type === attribute) return
    this.#kind = type
    if (type === push) this.#naming = 'next'
  }

  #readLine(chunk: Buffer, at: number): number {
    let end = at
    while (end < chunk.length && chunk[end] !== cr) end++
    if (this.#naming === 'now') this.#name(chunk, at, end)
    if (end === chunk.length) return end
    this.#state = 'line-end'
    return end + 1
  }

  #readLength(chunk: Buffer, at: number): number {
    const end = this.#number.read(chunk, at)
    if (end === more) return chunk.length
    if (end === bad) throw new ProtocolError('invalid length in a reply')
    const value = this.#number.value
    // RESP2's null, as a bulk and as an array
    if (value === -1 && (this.#type === bulk || this.#type === array)) this.#close()
    else if (value < 0) throw new ProtocolError('invalid length in a reply')
    else if (this.#type === bulk || this.#type === verbatim || this.#type === bulkError) {
      this.#missing = value + 2
      this.#state = 'bulk'
    } else this.#expect(value)
    return end
  }

  #expect(count: number): void {
    this.#left += this.#type === map || this.#type === attribute ? 2 * count : count
    if (this.#left > Number.MAX_SAFE_INTEGER) throw new ProtocolError('too many elements in a reply')
    // an attribute is no element of its own
    if (this.#type === attribute) this.#state = 'type'
    else this.#close()
  }

  #readBulk(chunk: Buffer, at: number): number {
    const end = Math.min(at + this.#missing, chunk.length)
    if (this.#naming === 'now') this.#name(chunk, at, Math.min(end, at + this.#missing - 2))
    this.#missing -= end - at
    if (this.#missing === 0) this.#close()
    return end
  }

  /** An element is complete, or for those that are a count of others: what it consists of is counted. */
  #close(): void {
    this.#left--
    this.#state = 'type'
    if (this.#naming === 'now') this.#naming = 'no'
  }

  #name(chunk: Buffer, from: number, to: number): void {
    const end = Math.min(to, from + maxPushKind - this.#pushKind.length)
    if (end > from) this.#pushKind += chunk.toString('latin1', from, end)
  }
}

function stateAfter(type: number): State {
  switch (type) {
    case simple:
    case error:
    case integer:
    case nothing:
    case boolean:
    case double:
    case bigNumber:
      return 'line'
    case bulk:
    case bulkError:
    case verbatim:
    case array:
    case map:
    case set:
    case push:
    case attribute:
      return 'length'
    default:
      throw new ProtocolError(`unknown type of a reply: byte ${type}`)
  }
}
