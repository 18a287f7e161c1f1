/** The delay proxy as its starter sees it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export interface Delay extends AsyncDisposable {
  readonly port: number
  readonly pid: number
  /** There and back, ms, of what passes from now on. */
  set(delayMs: number): Promise<void>
}

/** Between whoever connects and Redis on that port. */
export async function startDelay(redisPort: number): Promise<Delay> {
  const child = fork(join(import.meta.dirname, 'delay-proxy.ts'), [String(redisPort)], { stdio: 'inherit' })
  const ended = once(child, 'exit')
  const died = ended.then(([code]) => Promise.reject<never>(new Error(`the delay proxy ended with ${code}`)))
  died.catch(() => {}) // told to whoever waits for its word
  const said = (): Promise<Word> => Promise.race([once(child, 'message').then(([word]) => word as Word), died])
  const { port = 0 } = await said()
  return {
    port,
    pid: child.pid ?? 0,
    async set(delayMs) {
      const heard = said()
      child.send({ delayMs })
      await heard
    },
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
    },
  }
}

interface Word {
  readonly port?: number
}
