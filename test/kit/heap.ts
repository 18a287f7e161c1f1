/** What this process holds, garbage apart. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** In MiB, buffers outside of V8's heap included. Some turns must have passed since what is measured came to rest. */
export function heldMiB(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}
