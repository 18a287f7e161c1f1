import { once } from 'node:events'
import { connect } from 'node:net'
import { encodeBulk, encodeCommand, type Protocol } from '../../../src/cache/resp/encode.ts'

const mark = 'neither before nor after'
const asked = encodeCommand(['ECHO', mark])
const answered = encodeBulk(Buffer.from(mark)).toString()

/**
 * What Redis answers to these bytes on a connection of its own, as text (latin1): what stands between the answers to an ECHO before and one
 * after them.
 */
export async function answersTo(port: number, protocol: Protocol, bytes: Buffer): Promise<string> {
  const parts = await talk(port, protocol, [bytes, asked], (text) => text.split(answered).length === 3)
  return parts[1] ?? ''
}

/** The same for bytes after which Redis closes the connection. Nothing may follow them: what it leaves unread could cost its answer. */
export async function lastAnswersTo(port: number, bytes: Buffer): Promise<string> {
  const parts = await talk(port, 2, [bytes], () => false)
  return parts[1] ?? ''
}

async function talk(port: number, protocol: Protocol, all: readonly Buffer[], isEnd: (text: string) => boolean): Promise<string[]> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    if (isEnd(text)) socket.destroy()
  })
  socket.write(Buffer.concat([encodeCommand(['HELLO', `${protocol}`]), asked, ...all]))
  await once(socket, 'close')
  return text.split(answered)
}
