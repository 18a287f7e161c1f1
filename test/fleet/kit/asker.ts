/** A client that asks all the time, on one connection, and sees which number a configuration has brought. */
import { type Load, startLoad } from '../../kit/load.ts'

export interface Asker extends AsyncDisposable {
  /** The highest number seen. */
  readonly seen: number
  /** When the number, or a higher one, was first seen; null if it was not yet. `performance.now()`. */
  seenAt(number: number): number | null
  stop(): ReturnType<Load['stop']>
}

export function startAsker(port: number, pauseMs: number): Asker {
  const firstAt: number[] = []
  const load = startLoad({
    port,
    workers: 1,
    pauseMs,
    request: () => ({ path: '/' }),
    check({ status, body }, _planned, _sentAt, now) {
      const number = Number(body)
      const highest = firstAt.length - 1
      if (status !== 200 || body === '') return `${status} ${body}`
      if (number < highest) return `${number} after ${highest}`
      while (firstAt.length <= number) firstAt.push(now)
      return null
    },
  })
  return {
    get seen() {
      return firstAt.length - 1
    },
    seenAt: (number) => firstAt[number] ?? null,
    stop: load.stop,
    [Symbol.asyncDispose]: () => load[Symbol.asyncDispose](),
  }
}
