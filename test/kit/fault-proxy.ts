/** A TCP relay whose connections can be slowed, silenced, cut or refused: the network between baton and a server, at its worst. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type Weather =
  | { readonly is: 'fair' }
  /** Each chunk waits this long, both ways. */
  | { readonly is: 'slow'; readonly ms: number }
  /** Each connection's chunks wait a time of its own, up to this long: what was said later on one comes before what was said on another. */
  | { readonly is: 'uneven'; readonly ms: number }
  /** Each chunk waits as long as is drawn for it, and for those before it. `connection`: how many were accepted before. */
  | { readonly is: 'drawn'; ms(connection: number): number }
  /** Nothing comes through, no FIN, no RST: half-open. New connections are accepted; one that has lost a byte stays silent for good. */
  | { readonly is: 'black-hole' }
  /** New connections are reset. */
  | { readonly is: 'refusing' }

export interface FaultProxy extends AsyncDisposable {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly connections: number
  weather: Weather
  /** The port that new connections lead to. */
  target: number
  /** Resets every open connection, now. */
  reset(): void
}

function delayOf(weather: Weather, connection: number): number {
  switch (weather.is) {
    case 'slow':
      return weather.ms
    case 'uneven':
      // the golden ratio's multiples lie apart, whatever their number
      return weather.ms * (((connection + 1) * 0.618) % 1)
    case 'drawn':
      return weather.ms(connection)
    default:
      return 0
  }
}

/** To `127.0.0.1:port`. */
export async function startFaultProxy(port: number): Promise<FaultProxy> {
  const open = new Set<Socket>()
  let weather: Weather = { is: 'fair' }
  let target = port
  let accepted = 0
  const keep = (socket: Socket): void => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
  }
  const silent = new WeakSet<Socket>()
  const relay = (from: Socket, to: Socket, connection: number): void => {
    let last = Promise.resolve()
    let waiting = 0
    from.on('data', (chunk) => {
      // TCP delivers every byte or none after it: what comes after a hole never arrives
      if (weather.is === 'black-hole') silent.add(from)
      if (silent.has(from)) return
      const delayMs = delayOf(weather, connection)
      if (delayMs === 0 && waiting === 0) return void to.write(chunk)
      waiting += 1
      last = Promise.all([last, new Promise((done) => setTimeout(done, delayMs))]).then(() => {
        waiting -= 1
        to.write(chunk)
      })
    })
    const isMute = (): boolean => weather.is === 'black-hole' || silent.has(from)
    from.on('end', () => isMute() || last.then(() => to.end()))
    from.on('close', () => weather.is === 'black-hole' || to.destroy())
  }
  const server = createServer((client) => {
    if (weather.is === 'refusing') return void client.resetAndDestroy()
    keep(client)
    const upstream = connect(target, '127.0.0.1')
    keep(upstream)
    const connection = accepted++
    relay(client, upstream, connection)
    relay(upstream, client, connection)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const own = typeof address === 'object' && address !== null ? address.port : 0
  const reset = (): void => {
    // one that has said its end cannot be reset any more: node would leave its descriptor open, and spin at the exit of the process
    for (const socket of open) {
      if (socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
    }
  }
  return {
    port: own,
    url: `http://127.0.0.1:${own}`,
    get connections() {
      return open.size / 2
    },
    get weather() {
      return weather
    },
    set weather(next) {
      weather = next
    },
    get target() {
      return target
    },
    set target(next) {
      target = next
    },
    reset,
    async [Symbol.asyncDispose]() {
      reset()
      await once(server.close(), 'close')
    },
  }
}
