/**
 * A network between a client and Redis that takes its time, as a process of its own: node delay-proxy.ts TARGET_PORT.
 * Over IPC it says `{port}`, and takes `{delayMs}`: what passes waits for half of it on each way.
 *
 * Timers are too coarse for 0.1 ms. While something waits the loop turns without a pause; where that is more than a moment ahead it naps
 * (Atomics.wait keeps to some ten microseconds), so that it does not take a core for itself all the time.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

interface Waiting {
  readonly dueAt: number
  readonly to: Socket
  /** Null: the end. */
  readonly chunk: Buffer | null
}

/** What comes while it naps is seen this much later at most, ms. */
const napMs = 0.08
/** The kernel's slack, and the way to the write. */
const awakeMs = 0.12

class DelayLine {
  readonly #nap = new Int32Array(new SharedArrayBuffer(4))
  #delayMs = 0
  #waiting: Waiting[] = []
  #turns = false

  /** One for all that passes: then first in is first out, without a sort. */
  set delayMs(delayMs: number) {
    this.#delayMs = delayMs / 2
  }

  pass(to: Socket, chunk: Buffer | null): void {
    this.#waiting.push({ dueAt: performance.now() + this.#delayMs, to, chunk })
    if (this.#turns) return
    this.#turns = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    const now = performance.now()
    let done = 0
    for (const { dueAt, to, chunk } of this.#waiting) {
      if (dueAt > now) break
      if (chunk === null) to.end()
      else to.write(chunk)
      done += 1
    }
    if (done > 0) this.#waiting = this.#waiting.slice(done)
    const [next] = this.#waiting
    if (next === undefined) {
      this.#turns = false
      return
    }
    const spareMs = next.dueAt - performance.now() - awakeMs
    if (spareMs > 0) Atomics.wait(this.#nap, 0, 0, Math.min(spareMs, napMs))
    setImmediate(() => this.#turn())
  }
}

async function main(target: number): Promise<void> {
  const line = new DelayLine()
  const relay = (from: Socket, to: Socket): void => {
    from.setNoDelay(true)
    from.on('data', (chunk: Buffer) => line.pass(to, chunk))
    from.on('end', () => line.pass(to, null))
    from.on('error', () => from.destroy())
    from.on('close', () => to.destroySoon())
  }
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const redis = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
    relay(client, redis)
    relay(redis, client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  process.on('message', ({ delayMs }: { readonly delayMs: number }) => {
    line.delayMs = delayMs
    process.send?.({ delayMs })
  })
  process.once('disconnect', () => process.exit())
  const address = server.address()
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 })
}

await main(Number(process.argv[2]))
