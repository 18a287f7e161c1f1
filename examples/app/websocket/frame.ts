/** One WebSocket frame as bytes: RFC 6455 section 5. Pure; the rules that span frames are in `messages.ts`. */

export const opcode = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const

/** RFC 6455 section 7.4.1. */
export const closeCode = { normal: 1000, goingAway: 1001, protocolError: 1002, invalidText: 1007, tooBig: 1009 } as const

export interface Frame {
  readonly fin: boolean
  readonly opcode: number
  readonly payload: Buffer
}

/** The peer broke the protocol; `code` is what the close frame says. */
export class WebSocketFault extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

interface FrameHead {
  readonly fin: boolean
  readonly opcode: number
  readonly headBytes: number
  readonly payloadBytes: number
}

/** The first whole frame of a client's bytes and its length, or null if more bytes are needed. Throws WebSocketFault. */
export function readFrame(bytes: Buffer, maxPayloadBytes: number): { frame: Frame; bytes: number } | null {
  const head = readHead(bytes)
  if (head === null) return null
  if (head.payloadBytes > maxPayloadBytes) throw new WebSocketFault(closeCode.tooBig, 'message too big')
  const end = head.headBytes + head.payloadBytes
  if (bytes.length < end) return null
  const mask = bytes.subarray(head.headBytes - 4, head.headBytes)
  const payload = Buffer.from(bytes.subarray(head.headBytes, end))
  for (let index = 0; index < payload.length; index += 1) payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0)
  return { frame: { fin: head.fin, opcode: head.opcode, payload }, bytes: end }
}

function readHead(bytes: Buffer): FrameHead | null {
  if (bytes.length < 2) return null
  const first = bytes.readUInt8(0)
  const second = bytes.readUInt8(1)
  const fin = (first & 0x80) !== 0
  const code = first & 0x0f
  const length = second & 0x7f
  if ((first & 0x70) !== 0) throw new WebSocketFault(closeCode.protocolError, 'reserved bit set')
  if ((second & 0x80) === 0) throw new WebSocketFault(closeCode.protocolError, 'frame of a client not masked')
  if (!Object.values<number>(opcode).includes(code)) throw new WebSocketFault(closeCode.protocolError, 'unknown opcode')
  if (code >= opcode.close && (!fin || length > 125))
    throw new WebSocketFault(closeCode.protocolError, 'control frame in parts or too long')
  const headBytes = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + 4
  if (bytes.length < headBytes) return null
  return { fin, opcode: code, headBytes, payloadBytes: readLength(bytes, length) }
}

/** Section 5.2: the shortest form must be used. */
function readLength(bytes: Buffer, length: number): number {
  if (length < 126) return length
  const long = length === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (long < (length === 126 ? 126 : 0x10000)) throw new WebSocketFault(closeCode.protocolError, 'length not in its shortest form')
  return long
}

/** A whole frame as a server sends it: never masked, never in parts. */
export function writeFrame(code: number, payload: Buffer): Buffer {
  const length = payload.length
  const head = Buffer.alloc(length < 126 ? 2 : length < 0x10000 ? 4 : 10)
  head.writeUInt8(0x80 | code, 0)
  head.writeUInt8(length < 126 ? length : length < 0x10000 ? 126 : 127, 1)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

export function writeClose(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code, 0)
  payload.write(reason, 2)
  return writeFrame(opcode.close, payload)
}
