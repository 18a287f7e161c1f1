/** Decoding of a query's names and values: `+` is a space, `%XX` are the bytes of UTF-8; what is neither stays as it is. */

const percent = 37
const plus = 43

/** Whether the range has anything to decode. */
export function isEncoded(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code === percent || code === plus) return true
  }
  return false
}

/** Never throws: an incomplete escape, or one that is no UTF-8, is left as it was sent. */
export function decodeForm(text: string, from: number, to: number): string {
  let out = ''
  let plain = from
  for (let at = from; at < to; ) {
    const code = text.charCodeAt(at)
    const point = code === plus ? 32 : code === percent ? escapedPoint(text, at, to) : -1
    if (point === -1) {
      at++
      continue
    }
    out += text.slice(plain, at) + String.fromCodePoint(point)
    at += code === plus ? 1 : 3 * byteLength(point)
    plain = at
  }
  return out + text.slice(plain, to)
}

/** The code point that the escapes at `at` stand for (RFC 3629 section 3); -1 if they are no well-formed UTF-8. */
function escapedPoint(text: string, at: number, to: number): number {
  const lead = escapedByte(text, at, to)
  if (lead < 0x80) return lead
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
  let point = lead & (0xff >> (length + 1))
  for (let index = 1; index < length; index++) {
    const next = escapedByte(text, at + 3 * index, to)
    if ((next & 0xc0) !== 0x80) return -1
    point = (point << 6) | (next & 0x3f)
  }
  // Overlong forms, surrogates, and a continuation byte or 0xf8 and above in the lead's place.
  const malformed = byteLength(point) !== length || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff
  return malformed || lead < 0xc0 || lead > 0xf7 ? -1 : point
}

function byteLength(point: number): number {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
}

function escapedByte(text: string, at: number, to: number): number {
  if (at + 2 >= to || text.charCodeAt(at) !== percent) return -1
  const high = hexDigit(text.charCodeAt(at + 1))
  const low = hexDigit(text.charCodeAt(at + 2))
  return high === -1 || low === -1 ? -1 : high * 16 + low
}

/** 0 to 15; -1 for what is no hexadecimal digit. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 97 && code <= 102) return code - 87
  if (code >= 65 && code <= 70) return code - 55
  return -1
}
