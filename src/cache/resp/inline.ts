const [tab, lf, cr, space, quote, apostrophe, backslash, x] = [9, 10, 13, 32, 34, 39, 92, 120]

/** The arguments of an inline command by the quoting rules of Redis's sdssplitargs, or null: unbalanced quotes. */
export function splitInline(line: Buffer): Buffer[] | null {
  const args: Buffer[] = []
  let at = skipBlanks(line, 0)
  while (at < line.length) {
    const token: number[] = []
    at = readToken(line, at, token)
    if (at === -1) return null
    args.push(Buffer.from(token))
    at = skipBlanks(line, at)
  }
  return args
}

function skipBlanks(line: Buffer, at: number): number {
  while (at < line.length && isBlank(line[at])) at++
  return at
}

/** C's isspace. */
function isBlank(byte: number | undefined): boolean {
  return byte === space || (byte !== undefined && byte >= tab && byte <= cr)
}

/** @returns the index after the token, or -1. A quote may begin in the middle of a token, and its end must be the token's. */
function readToken(line: Buffer, at: number, token: number[]): number {
  for (; at < line.length; at++) {
    const byte = line[at] ?? 0
    if (byte === space || byte === tab || byte === cr || byte === lf) return at
    if (byte === quote || byte === apostrophe) {
      const end = byte === quote ? readQuoted(line, at + 1, token) : readSingleQuoted(line, at + 1, token)
      return end === line.length || isBlank(line[end]) ? end : -1
    }
    token.push(byte)
  }
  return at
}

/** @returns the index after the closing quote, or -1. */
function readQuoted(line: Buffer, at: number, token: number[]): number {
  for (; at < line.length; at++) {
    const byte = line[at] ?? 0
    if (byte === quote) return at + 1
    if (byte !== backslash) {
      token.push(byte)
      continue
    }
    const hex = line[at + 1] === x ? hexByte(line.toString('latin1', at + 2, at + 4)) : null
    token.push(hex ?? escaped(line[at + 1] ?? 0))
    at += hex === null ? 1 : 3
  }
  return -1
}

/** @returns the index after the closing quote, or -1. */
function readSingleQuoted(line: Buffer, at: number, token: number[]): number {
  for (; at < line.length; at++) {
    if (line[at] === apostrophe) return at + 1
    if (line[at] === backslash && line[at + 1] === apostrophe) at++
    token.push(line[at] ?? 0)
  }
  return -1
}

function hexByte(digits: string): number | null {
  return /^[0-9a-f]{2}$/i.test(digits) ? Number.parseInt(digits, 16) : null
}

function escaped(byte: number): number {
  switch (String.fromCharCode(byte)) {
    case 'n':
      return lf
    case 'r':
      return cr
    case 't':
      return tab
    case 'b':
      return 8
    case 'a':
      return 7
    default:
      return byte
  }
}
