import fc from 'fast-check'

/** Where a stream of bytes may be cut, for `cut`. */
export const cuts = fc.array(fc.nat(), { maxLength: 12 })

/** The bytes as chunks, some of them empty; copies, so that a slice of the wrong chunk shows. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b)
  return at.slice(1).map((end, index) => Buffer.from(bytes.subarray(at[index], end)))
}

/** A chunk a byte. */
export function bytewise(bytes: Buffer): Buffer[] {
  return [...bytes].map((byte) => Buffer.from([byte]))
}
