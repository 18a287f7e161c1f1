import { commandName } from './command-name.ts'
import { bad, Decimal, more } from './decimal.ts'
import { splitInline } from './inline.ts'
import { ProtocolError } from './protocol-error.ts'

export interface CommandLimits {
  /** A command of more is refused before anything is allocated for it. */
  readonly maxArguments: number
  /** Commands up to this are given whole, longer ones in parts. */
  readonly wholeBytes: number
  /** An argument of a command in parts is kept up to this … */
  readonly keptArgumentBytes: number
  /** … and all of them together up to this, what they cost beside their bytes included. */
  readonly keptBytes: number
  readonly maxInlineBytes: number
  readonly maxBulkBytes: number
}

/** Redis's own where it has one; of arguments it took this many before it took 2,147,483,647. */
export const commandLimits: CommandLimits = {
  maxArguments: 1_048_576,
  wholeBytes: 65_536,
  keptArgumentBytes: 1_024,
  keptBytes: 4_194_304,
  maxInlineBytes: 65_536,
  maxBulkBytes: 536_870_912,
}

export interface Command {
  /** In upper case, latin1. */
  readonly name: string
  /** The first is the name. */
  readonly args: readonly Buffer[]
  /** Verbatim, as they were on the wire. */
  readonly bytes: Buffer
}

/** Null: too big to be kept. */
export type KnownArguments = readonly (Buffer | null)[]

/**
 * What is handed over may be held for as long as one likes: nobody writes to it again, but it may be a slice of a chunk, which it then holds
 * as well. `command` and `ended` answer whether to go on; if not, `push` returns what follows.
 */
export interface CommandReceiver {
  command(command: Command): boolean
  /** A command of more than `wholeBytes` began: its bytes follow in `part`s, verbatim. With the arguments that came before the bulk that made it so long. */
  began(args: KnownArguments): void
  part(bytes: Buffer): void
  /** The command's last part was given, and this is all of its arguments. */
  ended(args: KnownArguments): boolean
}

type State = 'between' | 'line' | 'count' | 'mark' | 'length' | 'bulk'

const [lf, cr, dollar, star] = [10, 13, 36, 42]
const none = Buffer.alloc(0)
/** What a small Buffer costs beside its bytes, roughly. */
const bufferOverhead = 100

/**
 * A client's byte stream → its commands, by the rules of Redis's own parser. Empty lines and counts of zero or less are nothing, there as here:
 * no command, no reply. As there, nobody looks at what stands in the place of a bulk's CRLF.
 *
 * An argument within one chunk is a slice of it; one that was cut is put together. `#held` is what earlier chunks had of an open command,
 * unless that is given in parts.
 */
export class CommandParser {
  readonly #limits: CommandLimits
  readonly #receiver: CommandReceiver
  readonly #number = new Decimal()
  #state: State = 'between'
  #goOn = true
  #held = none
  #heldBytes = 0
  #inParts = false
  #keptBytes = 0
  #args: Buffer[] = []
  /** The arguments instead, when the command is given in parts. */
  #known: (Buffer | null)[] = []
  /** Arguments of the open command that are not complete. */
  #left = 0
  /** Of the open bulk, if it was cut: what is missing of it and its CRLF, and its bytes, unless it is too big to be kept. */
  #missing = 0
  #cutBulk: Buffer | null = null

  constructor(limits: CommandLimits, receiver: CommandReceiver) {
    this.#limits = limits
    this.#receiver = receiver
  }

  /**
   * @returns what follows the command at which the receiver said stop, to be pushed again by who goes on; null when there is nothing left.
   * @throws ProtocolError after all commands before it were given. Then the parser is of no more use, and of a command in parts the rest is not given.
   */
  push(chunk: Buffer): Buffer | null {
    let from = 0
    while (from < chunk.length) {
      const inLine = this.#state === 'line' || (this.#state === 'between' && chunk[from] !== star)
      const end = inLine ? this.#readLine(chunk, from) : this.#readBulks(chunk, from)
      if (end === more) return null
      from = end
      if (!this.#goOn) break
    }
    this.#goOn = true
    return from < chunk.length ? chunk.subarray(from) : null
  }

  #readLine(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(lf, from)
    const to = end === -1 ? chunk.length : end
    if (this.#heldBytes + to - from > this.#limits.maxInlineBytes) throw new ProtocolError('too big inline request')
    this.#state = 'line'
    if (end === -1) return this.#cut(chunk, from)
    if (this.#heldBytes > 0) this.#hold(chunk, from, end + 1)
    const bytes = this.#heldBytes > 0 ? this.#held.subarray(0, this.#heldBytes) : chunk.subarray(from, end + 1)
    this.#reset()
    this.#inline(bytes)
    return end + 1
  }

  #inline(bytes: Buffer): void {
    // Redis sees no line's end behind a NUL, and waits for it until the line is too long
    if (bytes.includes(0)) throw new ProtocolError('too big inline request')
    const end = bytes[bytes.length - 2] === cr ? bytes.length - 2 : bytes.length - 1
    const args = splitInline(bytes.subarray(0, end))
    if (args === null) throw new ProtocolError('unbalanced quotes in request')
    const [name] = args
    if (name !== undefined) this.#goOn = this.#receiver.command(new WholeCommand(name, args, bytes, 0, bytes.length))
  }

  #readBulks(chunk: Buffer, from: number): number {
    let at = from
    if (this.#state === 'between') {
      this.#state = 'count'
      at++
    }
    if (this.#state === 'count') {
      at = this.#number.read(chunk, at)
      if (at === more) return this.#cut(chunk, from)
      const count = this.#number.value
      if (at === bad || count > this.#limits.maxArguments) throw new ProtocolError('invalid multibulk length')
      if (count <= 0) {
        this.#reset()
        return at
      }
      this.#left = count
      this.#state = 'mark'
    }
    for (; this.#left > 0; this.#left--) {
      at = this.#readBulk(chunk, from, at)
      if (at === more) return this.#cut(chunk, from)
      this.#state = 'mark'
    }
    this.#end(chunk, from, at)
    return at
  }

  #readBulk(chunk: Buffer, from: number, at: number): number {
    if (this.#state === 'mark') {
      if (at === chunk.length) return more
      if (chunk[at] !== dollar) throw new ProtocolError(`expected '$', got '${printable(chunk[at])}'`)
      this.#state = 'length'
      at++
    }
    if (this.#state === 'length') {
      at = this.#number.read(chunk, at)
      if (at === more) return more
      const length = this.#number.value
      if (at === bad || length < 0 || length > this.#limits.maxBulkBytes) throw new ProtocolError('invalid bulk length')
      if (!this.#inParts && this.#heldBytes + at - from + length + 2 > this.#limits.wholeBytes) this.#begin()
      if (at + length + 2 <= chunk.length) {
        this.#takeBulk(chunk, at, at + length)
        return at + length + 2
      }
      this.#missing = length + 2
      this.#cutBulk = !this.#inParts || this.#keeps(length) ? Buffer.allocUnsafe(length) : null
      this.#state = 'bulk'
    }
    return this.#readCutBulk(chunk, at)
  }

  #takeBulk(chunk: Buffer, from: number, to: number): void {
    if (!this.#inParts) this.#args.push(chunk.subarray(from, to))
    // a copy: in parts the chunk is soon gone, and a small slice would hold all of it
    else this.#known.push(this.#keeps(to - from) ? Buffer.from(chunk.subarray(from, to)) : null)
  }

  #readCutBulk(chunk: Buffer, at: number): number {
    const bulk = this.#cutBulk
    const end = Math.min(at + this.#missing, chunk.length)
    if (bulk !== null) chunk.copy(bulk, bulk.length + 2 - this.#missing, at, end)
    this.#missing -= end - at
    if (this.#missing > 0) return more
    if (this.#inParts) this.#known.push(bulk)
    else if (bulk !== null) this.#args.push(bulk)
    return end
  }

  /** The command is too long to be given whole. */
  #begin(): void {
    this.#inParts = true
    this.#known = this.#args.map((arg) => (this.#keeps(arg.length) ? arg : null))
    this.#args = []
    this.#receiver.began([...this.#known])
    if (this.#heldBytes > 0) this.#receiver.part(this.#held.subarray(0, this.#heldBytes))
    this.#held = none
    this.#heldBytes = 0
  }

  #keeps(length: number): boolean {
    if (length > this.#limits.keptArgumentBytes || this.#keptBytes + length + bufferOverhead > this.#limits.keptBytes) return false
    this.#keptBytes += length + bufferOverhead
    return true
  }

  #end(chunk: Buffer, from: number, to: number): void {
    if (this.#inParts) this.#endParts(chunk.subarray(from, to))
    else if (this.#heldBytes === 0) this.#endWhole(chunk, from, to)
    else {
      this.#hold(chunk, from, to)
      this.#endWhole(this.#held, 0, this.#heldBytes)
    }
  }

  #endWhole(source: Buffer, from: number, to: number): void {
    const args = this.#args
    this.#args = []
    this.#reset()
    const [name] = args
    if (name !== undefined) this.#goOn = this.#receiver.command(new WholeCommand(name, args, source, from, to))
  }

  #endParts(last: Buffer): void {
    const args = this.#known
    this.#known = []
    this.#inParts = false
    this.#keptBytes = 0
    this.#reset()
    this.#receiver.part(last)
    this.#goOn = this.#receiver.ended(args)
  }

  /** The rest of the chunk belongs to a command that goes on in the next. */
  #cut(chunk: Buffer, from: number): typeof more {
    if (this.#inParts) this.#receiver.part(chunk.subarray(from))
    else this.#hold(chunk, from, chunk.length)
    return more
  }

  /** Doubles what it holds, so that chunks of a byte each cost no more than others. */
  #hold(chunk: Buffer, from: number, to: number): void {
    const size = this.#heldBytes + to - from
    if (size > this.#held.length) {
      const held = Buffer.allocUnsafe(Math.max(size, 2 * this.#held.length))
      this.#held.copy(held, 0, 0, this.#heldBytes)
      this.#held = held
    }
    chunk.copy(this.#held, this.#heldBytes, from, to)
    this.#heldBytes = size
  }

  #reset(): void {
    this.#state = 'between'
    this.#held = none
    this.#heldBytes = 0
  }
}

/** Makes no slice of the bytes that nobody asks for: a local hit needs none. */
class WholeCommand implements Command {
  readonly name: string
  readonly args: readonly Buffer[]
  readonly #source: Buffer
  readonly #from: number
  readonly #to: number

  constructor(name: Buffer, args: readonly Buffer[], source: Buffer, from: number, to: number) {
    this.name = commandName(name)
    this.args = args
    this.#source = source
    this.#from = from
    this.#to = to
  }

  get bytes(): Buffer {
    return this.#source.subarray(this.#from, this.#to)
  }
}

/** Of an error's line. */
function printable(byte = 0): string {
  return byte === cr || byte === lf ? ' ' : String.fromCharCode(byte)
}
