/** One TCP connection under a test's control: every byte that came is kept, and what happens can be awaited instead of slept for. */
import type { Socket } from 'node:net'

export class RawSocket {
  readonly socket: Socket
  /** `open` until the other side's FIN or reset came, or until this side destroyed it. */
  ending: 'open' | 'fin' | 'reset' = 'open'
  /** With room for more: joining chunks at each look would copy what has come again and again. */
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  #changed: () => void
  /** Bytes so far, and when the last of them came. */
  #arrivals: { readonly upTo: number; readonly at: number }[] = []

  /** `changed` is called after each byte, FIN or reset. */
  constructor(socket: Socket, changed: () => void) {
    this.socket = socket
    this.#changed = changed
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#keep(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
      this.#arrivals.push({ upTo: socket.bytesRead, at: performance.now() })
      changed()
    })
    socket.on('end', () => this.#ended('fin'))
    socket.on('error', () => this.#ended('reset'))
    socket.on('close', () => this.#ended('fin'))
  }

  #ended(how: 'fin' | 'reset'): void {
    if (this.ending === 'open') this.ending = how
    this.#changed()
  }

  /** All bytes that came so far. */
  get received(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #keep(chunk: Buffer): void {
    const length = this.#length + chunk.length
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(length * 2)
      this.received.copy(larger)
      this.#bytes = larger
    }
    chunk.copy(this.#bytes, this.#length)
    this.#length = length
  }

  /** When the byte at this offset came, in ms on the process's monotonic clock. */
  cameAt(offset: number): number {
    return this.#arrivals.find((arrival) => arrival.upTo > offset)?.at ?? Number.POSITIVE_INFINITY
  }

  /** A string is sent as latin1: one character, one byte. */
  send(data: string | Uint8Array): void {
    if (!this.socket.writable) return
    if (typeof data === 'string') this.socket.write(data, 'latin1')
    else this.socket.write(data)
  }

  /** Bytes handed to the kernel so far. */
  get handedOver(): number {
    return this.socket.bytesWritten - this.socket.writableLength
  }

  /** Half-close. */
  end(): void {
    this.socket.end()
  }

  reset(): void {
    if (this.ending === 'open') this.ending = 'reset'
    this.socket.resetAndDestroy()
  }

  destroy(): void {
    this.socket.destroy()
  }
}
