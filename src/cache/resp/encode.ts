/** Answers of our own, and commands of our own, as bytes: one allocation each. */

/** The RESP version that a connection speaks. */
export type Protocol = 2 | 3

const crlf = 0x0a0d
const [minus, zero] = [45, 48]
/** First bytes of what has a length or a count. */
const [dollar, star, percent, colon] = [36, 42, 37, 58]

const absent2 = Buffer.from('$-1\r\n')
const absent3 = Buffer.from('_\r\n')

/** A value that is not there. Shared: nobody may write to it. */
export function encodeAbsent(protocol: Protocol): Buffer {
  return protocol === 2 ? absent2 : absent3
}

export function encodeBulk(value: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bulkSize(value))
  writeBulk(out, 0, value)
  return out
}

/** @param value a safe integer */
export function encodeInteger(value: number): Buffer {
  const out = Buffer.allocUnsafe(3 + numberSize(value))
  writeHeader(out, 0, colon, value)
  return out
}

/** MGET's and HMGET's answer: null stands for a value that is not there. */
export function encodeValues(values: readonly (Buffer | null)[], protocol: Protocol): Buffer {
  const absent = encodeAbsent(protocol)
  let size = 3 + numberSize(values.length)
  for (const value of values) size += value === null ? absent.length : bulkSize(value)
  const out = Buffer.allocUnsafe(size)
  let at = writeHeader(out, 0, star, values.length)
  for (const value of values) {
    if (value !== null) at = writeBulk(out, at, value)
    else at += absent.copy(out, at)
  }
  return out
}

/** HGETALL's answer. @param flat field, value, field, value … */
export function encodeHash(flat: readonly Buffer[], protocol: Protocol): Buffer {
  return protocol === 2 ? encodeBulks(star, flat.length, flat) : encodeBulks(percent, flat.length / 2, flat)
}

/** @param line with its code: `ERR unknown subcommand`. Of line breaks it is freed, as Redis does. */
export function encodeError(line: string): Buffer {
  return Buffer.from(`-${line.replace(/[\r\n]/g, ' ')}\r\n`)
}

export function encodeCommand(args: readonly (Buffer | string)[]): Buffer {
  return encodeBulks(
    star,
    args.length,
    args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg)),
  )
}

function encodeBulks(type: number, count: number, bulks: readonly Buffer[]): Buffer {
  let size = 3 + numberSize(count)
  for (const bulk of bulks) size += bulkSize(bulk)
  const out = Buffer.allocUnsafe(size)
  let at = writeHeader(out, 0, type, count)
  for (const bulk of bulks) at = writeBulk(out, at, bulk)
  return out
}

function bulkSize(value: Buffer): number {
  return 5 + numberSize(value.length) + value.length
}

function numberSize(value: number): number {
  let size = value < 0 ? 2 : 1
  for (value = Math.abs(value); value >= 10; value = Math.floor(value / 10)) size++
  return size
}

/** @returns the index after it, as all that write do. */
function writeBulk(out: Buffer, at: number, value: Buffer): number {
  at = writeHeader(out, at, dollar, value.length)
  out.set(value, at)
  return out.writeUInt16LE(crlf, at + value.length)
}

function writeHeader(out: Buffer, at: number, type: number, value: number): number {
  out[at++] = type
  const end = at + numberSize(value)
  if (value < 0) out[at++] = minus
  value = Math.abs(value)
  for (let digit = end - 1; digit >= at; digit--) {
    out[digit] = zero + (value % 10)
    value = Math.floor(value / 10)
  }
  return out.writeUInt16LE(crlf, end)
}
