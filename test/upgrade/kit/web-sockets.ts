/** WebSockets that are open all the time and say something over and over; one that closes is opened anew. */
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'

export interface SocketEnd {
  readonly at: number
  readonly version: string
  readonly connectedAt: number
  /** RFC 6455 section 7.4; 1006: without a close frame. */
  readonly code: number
  /** What broke the protocol or the connection, else empty. */
  readonly why: string
}

export interface WebSockets {
  readonly ends: readonly SocketEnd[]
  /** Echoes that were not what was said, or not in its order. */
  readonly wrong: readonly string[]
  echoes(): number
  stop(): Promise<void>
}

const againMs = 20
const sayMs = 25

export function openWebSockets(port: number, count: number): WebSockets {
  const ends: SocketEnd[] = []
  const wrong: string[] = []
  const seen = { echoes: 0, stopped: false }
  const open = new Set<WebSocket>()
  const keepOne = async (): Promise<void> => {
    while (!seen.stopped) {
      const end = await converse(port, open, wrong, () => (seen.echoes += 1))
      if (!seen.stopped) ends.push(end)
      if (!seen.stopped) await sleep(againMs)
    }
  }
  const all = Array.from({ length: count }, keepOne)
  return {
    ends,
    wrong,
    echoes: () => seen.echoes,
    async stop() {
      seen.stopped = true
      for (const socket of open) socket.terminate()
      await Promise.all(all)
    },
  }
}

/** To the end of one connection. Every fifth message is long, so that its frame comes in several pieces. */
function converse(port: number, open: Set<WebSocket>, wrong: string[], heard: () => void): Promise<SocketEnd> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`)
    const connectedAt = performance.now()
    const said: string[] = []
    let version = ''
    let why = ''
    let n = 0
    open.add(socket)
    const timer = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN || version === '') return
      n += 1
      const message = `${n} `.padEnd(n % 5 === 0 ? 100_000 : 200, '.')
      said.push(message)
      socket.send(message)
    }, sayMs)
    socket.on('message', (data) => {
      const received = String(data)
      if (version === '') version = received.replace('hello ', '')
      else if (received === said.shift()) heard()
      else wrong.push(`${version}: ${received.slice(0, 20)}`)
    })
    socket.on('error', (error) => (why = 'code' in error ? String(error.code) : error.message))
    socket.on('close', (code) => {
      clearInterval(timer)
      open.delete(socket)
      resolve({ at: performance.now(), version, connectedAt, code, why })
    })
  })
}
