/** The apps behind the proxy under test: one for each lane, a spare for fallbacks, and one where no request should ever come. */
import { RawApp } from '../kit/raw-app.ts'
import { readMessage } from '../kit/raw-message.ts'
import type { RawSocket } from '../kit/raw-socket.ts'
import type { Lane } from './run-case.ts'
import { ok } from './wire.ts'

export interface Lanes {
  readonly all: readonly Lane[]
  /** Answers every request `200 spare`. */
  readonly spare: RawApp
  /** The stable version: what comes here lost its lane on the way. */
  readonly stray: RawApp
  /** Runs `use` with a lane that nobody else has meanwhile. */
  with<T>(use: (lane: Lane) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Names are as long as `$LANE`, which they replace: a length that was counted before stays right. At most 36. */
export async function openLanes(count: number): Promise<Lanes> {
  const all = await Promise.all(
    Array.from({ length: count }, async (_, n) => ({ name: `lane${n.toString(36)}`, app: await RawApp.listen() })),
  )
  const spare = await RawApp.listen()
  const stray = await RawApp.listen()
  spare.serve = (connection) => answerAll(connection, 'spare')
  const free = [...all]
  const queue: ((lane: Lane) => void)[] = []
  const release = (lane: Lane): void => {
    const next = queue.shift()
    if (next === undefined) free.push(lane)
    else next(lane)
  }
  return {
    all,
    spare,
    stray,
    async with(use) {
      const lane = free.pop() ?? (await new Promise<Lane>((resolve) => queue.push(resolve)))
      try {
        return await use(lane)
      } finally {
        release(lane)
      }
    },
    async close() {
      await Promise.all([...all.map((lane) => lane.app), spare, stray].map((app) => app.close()))
    },
  }
}

/** Answers every request of one connection 200 with this body. */
export function answerAll(connection: RawSocket, body: string): void {
  let at = 0
  connection.socket.on('data', () => {
    const message = readMessage(connection.received, at, { kind: 'request', closed: false })
    if (message?.complete !== true) return
    at = message.end
    connection.send(ok(body))
  })
}
