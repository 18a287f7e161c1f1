/** The peak memory of a set of processes over one turn. */
import { peakBytes, resetPeak, residentBytes } from './process.ts'

const sampleEveryMs = 100

/** Starts watching; the returned function stops and gives the peak in bytes. */
export function watchPeak(pids: readonly number[]): () => number {
  try {
    resetPeak(pids)
    return () => peakBytes(pids)
  } catch {
    // The kernel (no CONFIG_PROC_PAGE_MONITOR) or a container may forbid the reset: then the peak of all time would be reported.
    return samplePeak(pids)
  }
}

function samplePeak(pids: readonly number[]): () => number {
  const now = (): number => pids.reduce((sum, pid) => sum + residentBytes(pid), 0)
  let peak = now()
  const timer = setInterval(() => {
    peak = Math.max(peak, now())
  }, sampleEveryMs)
  return () => {
    clearInterval(timer)
    return Math.max(peak, now())
  }
}
