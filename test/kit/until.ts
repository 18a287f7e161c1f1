/** Waits for what can only be looked at, not listened to; bounded. */
import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 20_000
const pollMs = 20

/** Resolves to what `look` gives once that is neither false nor null. Rejects with `complaint()` after 20 s, or with what `look` throws. */
export async function until<T>(
  look: () => Promise<T | null | false> | T | null | false,
  complaint: () => string,
  limitMs = patienceMs,
): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== null && found !== false) return found
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${complaint()}`)
    await sleep(pollMs)
  }
}
