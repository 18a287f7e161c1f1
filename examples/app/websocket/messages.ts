/** A client's frames joined to whole messages, with the rules that span frames: RFC 6455 sections 5.4, 5.5 and 8.1. No I/O. */
import { isUtf8 } from 'node:buffer'
import { closeCode, type Frame, opcode, readFrame, WebSocketFault } from './frame.ts'

export const maxMessageBytes = 64 * 1024

export type Message =
  | { readonly is: 'text' | 'binary' | 'ping'; readonly payload: Buffer }
  /** `code` is null when the close frame was empty. */
  | { readonly is: 'close'; readonly code: number | null }

export class MessageReader {
  #unread: Buffer = Buffer.alloc(0)
  #first: Frame | null = null
  #parts: Buffer[] = []
  #partBytes = 0

  #join(frame: Frame): Message | null {
    const inside = this.#first !== null
    if (inside !== (frame.opcode === opcode.continuation)) throw new WebSocketFault(closeCode.protocolError, 'fragments out of order')
    const first = this.#first ?? frame
    this.#first = first
    this.#parts.push(frame.payload)
    this.#partBytes += frame.payload.length
    // Empty fragments are legal; without this bound they would be a way to fill the memory.
    if (this.#parts.length > 4096) throw new WebSocketFault(closeCode.tooBig, 'too many fragments')
    if (!frame.fin) return null
    const payload = Buffer.concat(this.#parts)
    this.#first = null
    this.#parts = []
    this.#partBytes = 0
    return whole(first.opcode, payload)
  }

  /** The messages that are whole with these bytes. Throws WebSocketFault: then the connection has to be closed. */
  *push(bytes: Buffer): Generator<Message> {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes])
    for (;;) {
      const read = readFrame(this.#unread, maxMessageBytes - this.#partBytes)
      if (read === null) return
      this.#unread = this.#unread.subarray(read.bytes)
      const message = read.frame.opcode >= opcode.close ? control(read.frame) : this.#join(read.frame)
      if (message !== null) yield message
    }
  }
}

function whole(code: number, payload: Buffer): Message {
  if (code === opcode.binary) return { is: 'binary', payload }
  if (!isUtf8(payload)) throw new WebSocketFault(closeCode.invalidText, 'text is not UTF-8')
  return { is: 'text', payload }
}

/** Null for a pong: nobody asked for it, and that is allowed (section 5.5.3). */
function control({ opcode: code, payload }: Frame): Message | null {
  if (code === opcode.ping) return { is: 'ping', payload }
  if (code === opcode.pong) return null
  if (payload.length === 0) return { is: 'close', code: null }
  if (payload.length === 1 || !mayBeSent(payload.readUInt16BE(0))) throw new WebSocketFault(closeCode.protocolError, 'bad close code')
  if (!isUtf8(payload.subarray(2))) throw new WebSocketFault(closeCode.invalidText, 'close reason is not UTF-8')
  return { is: 'close', code: payload.readUInt16BE(0) }
}

/** Section 7.4: 1004 to 1006 and 1015 are never on the wire; 3000 to 4999 are the applications'. */
function mayBeSent(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999)
}
