/** Waits for what can only be looked at, not listened to; bounded. */
import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 20_000
const pollMs = 20

/** Resolves once `holds` is true. Rejects with `complaint()` after 20 s, or with what `holds` throws. */
export async function until(holds: () => boolean | Promise<boolean>, complaint: () => string, limitMs = patienceMs): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${complaint()}`)
    await sleep(pollMs)
  }
}
