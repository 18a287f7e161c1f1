/** A fixed arrival rate, whatever the answers do: who is late stays due, so that a stall shows as latency and not as silence. */

export interface OpenLoop {
  /** No arrival after it. */
  stop(): void
}

const tickMs = 1

/** Calls `arrive` with the n-th arrival and when it was due (`performance.now()`), `ratePerSecond` times a second; at 0 never. */
export function openLoop(ratePerSecond: number, arrive: (n: number, dueAt: number) => void): OpenLoop {
  const beganAt = performance.now()
  const everyMs = 1_000 / ratePerSecond
  let next = 0
  const timer = setInterval(() => {
    for (let dueAt = beganAt + next * everyMs; dueAt <= performance.now(); dueAt = beganAt + next * everyMs) {
      arrive(next, dueAt)
      next += 1
    }
  }, tickMs)
  return { stop: () => clearInterval(timer) }
}
