/** What this process holds, garbage apart. */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { median } from '../../bench/summary.ts'

/** In MiB, buffers outside of V8's heap included. What is cleaned up after garbage (signals, sockets) is so in a later turn, and garbage then. */
export async function heldMiB(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let round = 0; round < 3; round++) {
    collect()
    await sleep(100)
  }
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

/** Of looks at equal distances, from the first to the last, in MiB: by the median step, since V8 now and then lets go of code all at once. */
export function growthOf(held: readonly number[]): number {
  return median(held.slice(1).map((mib, index) => mib - (held[index] ?? mib))) * (held.length - 1)
}
