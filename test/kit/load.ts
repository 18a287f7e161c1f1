/** Load in the test's own process: each worker keeps one connection alive and sends a request as soon as the one before was answered. */
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Received, send } from './send.ts'

export interface Planned {
  readonly method?: string
  readonly path: string
  readonly headers?: http.OutgoingHttpHeaders
  readonly body?: string
}

export interface LoadOptions {
  readonly port: number
  readonly workers: number
  /** Between an answer and the next request. Default 0. */
  readonly pauseMs?: number
  /** The n-th request of all, from 0. */
  request(n: number): Planned
  /** What is wrong with the answer, or null. `sentAt`, `now`: `performance.now()`. */
  check(received: Received, planned: Planned, sentAt: number, now: number): string | null
}

export interface LoadReport {
  readonly answered: number
  /** Connections that were opened; as many as workers if none was closed. */
  readonly connections: number
  /** What `check` said, the first 20. */
  readonly wrong: readonly string[]
  readonly wrongCount: number
  /** Errors by code (ECONNRESET …), with the requests that had them. */
  readonly errors: Readonly<Record<string, readonly Planned[]>>
}

/** Stopped at the end of its block at the latest: load that goes on would keep the test's process alive. */
export interface Load extends AsyncDisposable {
  /** So far. */
  answered(): number
  /** Lets requests under way end. */
  stop(): Promise<LoadReport>
}

export function startLoad(options: LoadOptions): Load {
  const { pauseMs = 0 } = options
  const errors: Record<string, Planned[]> = {}
  const wrong: string[] = []
  const count = { next: 0, answered: 0, connections: 0, wrong: 0 }
  let stopped = false
  const one = async (agent: http.Agent): Promise<void> => {
    const planned = options.request(count.next++)
    const sentAt = performance.now()
    const received = await send({ ...planned, port: options.port, agent })
    count.answered += 1
    if (!received.reused) count.connections += 1
    const complaint = options.check(received, planned, sentAt, performance.now())
    if (complaint !== null && count.wrong++ < 20) wrong.push(complaint)
  }
  const worker = async (): Promise<void> => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    // a request that fails is counted with its reason, and the worker goes on
    while (!stopped) {
      await one(agent).catch((error: unknown) => failed(error, count.next - 1))
      if (pauseMs > 0) await sleep(pauseMs)
    }
    agent.destroy()
  }
  const failed = (error: unknown, n: number): void => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    errors[code] ??= []
    errors[code].push(options.request(n))
  }
  const workers = Array.from({ length: options.workers }, worker)
  const stop = async (): Promise<LoadReport> => {
    stopped = true
    await Promise.all(workers)
    return { answered: count.answered, connections: count.connections, wrong, wrongCount: count.wrong, errors }
  }
  return {
    answered: () => count.answered,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}

/** `/who` of the test's app, over and over: each answer has to be 200. */
export function askWho(port: number, workers: number): Load {
  return startLoad({
    port,
    workers,
    request: () => ({ path: '/who' }),
    check: ({ status, body }) => (status === 200 ? null : `${status} ${body}`),
  })
}
