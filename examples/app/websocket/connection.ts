/** One open WebSocket that sends every message back. Open until either side says close; then the socket ends, or is cut after 2 s. */
import type { Duplex } from 'node:stream'
import { closeCode, opcode, WebSocketFault, writeClose, writeFrame } from './frame.ts'
import { type Message, MessageReader } from './messages.ts'

const closeTimeoutMs = 2000

export interface Connection {
  /** Says goodbye with this code and waits for the peer's close frame. */
  close(code: number, reason: string): void
}

export function echoOn(socket: Duplex, head: Buffer): Connection {
  const reader = new MessageReader()
  let sentClose = false

  const close = (code: number, reason: string) => {
    if (sentClose) return
    sentClose = true
    socket.write(writeClose(code, reason))
    const timer = setTimeout(() => socket.destroy(), closeTimeoutMs)
    socket.once('close', () => clearTimeout(timer))
  }
  const answer = (message: Message) => {
    if (message.is === 'close') {
      close(message.code ?? closeCode.normal, '')
      socket.end()
    } else if (!sentClose) {
      const flows = socket.write(writeFrame(message.is === 'ping' ? opcode.pong : opcode[message.is], message.payload))
      if (!flows) socket.pause() // a client that does not read gets no more echoes, and we keep none for it
    }
  }
  const read = (bytes: Buffer) => {
    try {
      for (const message of reader.push(bytes)) answer(message)
    } catch (error) {
      if (!(error instanceof WebSocketFault)) throw error
      socket.off('data', read)
      close(error.code, error.message)
      socket.end()
      socket.resume() // what still comes is read and dropped, so that the peer gets our close frame and no reset
    }
  }

  socket.on('drain', () => socket.resume())
  socket.on('error', () => socket.destroy()) // a client may leave without a word
  socket.on('end', () => socket.end())
  socket.on('data', read)
  if (head.length > 0) read(head)
  return { close }
}
