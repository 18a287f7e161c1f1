/** Waits for what happens elsewhere in this process, turn by turn of the event loop; no test sleeps for a guessed time. */
import { setImmediate as turn } from 'node:timers/promises'

const patienceMs = 10_000

/** Resolves once `holds` gives true; what it last saw is in the error otherwise. */
export async function until(holds: () => boolean, what: string | (() => string)): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${typeof what === 'string' ? what : what()}`)
    await turn()
  }
}

/** Lets everything that is under way in this process and its sockets on loopback come to rest, for what must not happen. */
export async function quiet(turns = 50): Promise<void> {
  for (let each = 0; each < turns; each += 1) await turn()
}

/** What `look` gives once it has not moved for a while: a flow that is held back. */
export async function standsStill(look: () => number): Promise<number> {
  for (let before = look(); ; before = look()) {
    await quiet(200)
    if (look() === before) return before
  }
}
