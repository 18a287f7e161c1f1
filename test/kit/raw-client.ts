/** A client that sends bytes exactly as it is told. */
import { connect } from 'node:net'
import { RawSocket } from './raw-socket.ts'

export interface RawClientOptions {
  readonly port: number
  /** Local address; any of 127.0.0.0/8 plays another peer. */
  readonly from?: string
  /** Called after each byte, FIN or reset. */
  readonly changed?: () => void
}

/** Connects to 127.0.0.1. Half-open is allowed: the server's FIN does not close this side. */
export async function connectRaw({ port, from, changed }: RawClientOptions): Promise<RawSocket> {
  const local = from === undefined ? {} : { localAddress: from }
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, ...local })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return new RawSocket(socket, changed ?? (() => {}))
}
