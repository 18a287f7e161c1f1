/** What it costs to record one exchange for the verdict, timed in this process. */
import { Measures } from '../src/upstream/measures.ts'
import { median } from './summary.ts'

const rounds = 7
const exchangesPerRound = 1_000_000
/** Ten thousand requests a second: a slice of the ring is turned as often as under load. */
const everyMs = 0.1

/** Nanoseconds for each exchange: the median of the rounds, after one that warms up. */
export function recordingNanos(exchanges = exchangesPerRound): number {
  const measures = new Measures()
  let now = 0
  const round = (): number => {
    const began = performance.now()
    for (let n = 0; n < exchanges; n += 1) {
      now += everyMs
      measures.record(n % 100 === 0 ? 'status' : 'answered', (n % 1_000) + 0.5, now)
    }
    return ((performance.now() - began) * 1e6) / exchanges
  }
  round()
  return median(Array.from({ length: rounds }, round))
}
