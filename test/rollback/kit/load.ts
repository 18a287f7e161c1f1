/** Requests at a rate that may change, whatever the answers do: who is late stays due, so that a stall shows as latency and not as silence. */
import http from 'node:http'
import { send } from '../../kit/send.ts'

export interface Exchange {
  /** ms since the epoch */
  readonly sentAt: number
  readonly endedAt: number
  /** 0: no answer at all. */
  readonly status: number
  /** Null where baton answered in its place. */
  readonly version: string | null
}

export interface LoadOptions {
  readonly port: number
  /** Requests a second at this many ms after the start. */
  rate(afterMs: number): number
  /** Of the n-th request, from 0. */
  path(n: number): string
}

export interface Load extends AsyncDisposable {
  /** Those that have ended, in the order of their ends. */
  readonly exchanges: readonly Exchange[]
  /** Lets requests under way end. */
  stop(): Promise<void>
}

const tickMs = 10

export function startLoad({ port, rate, path }: LoadOptions): Load {
  const agent = new http.Agent({ keepAlive: true })
  const exchanges: Exchange[] = []
  const underWay = new Set<Promise<void>>()
  const beganAt = performance.now()
  let lookedAt = beganAt
  let due = 0
  let sent = 0
  const one = async (n: number): Promise<void> => {
    const sentAt = Date.now()
    const { status, body } = await send({ port, agent, path: path(n) }).catch(() => ({ status: 0, body: '' }))
    exchanges.push({ sentAt, endedAt: Date.now(), status, version: /^v\d$/.exec(body)?.[0] ?? null })
  }
  const timer = setInterval(() => {
    const now = performance.now()
    due += (rate(now - beganAt) * (now - lookedAt)) / 1_000
    lookedAt = now
    for (; due >= 1; due -= 1, sent += 1) {
      const exchange = one(sent).finally(() => underWay.delete(exchange))
      underWay.add(exchange)
    }
  }, tickMs)
  const stop = async (): Promise<void> => {
    clearInterval(timer)
    await Promise.all(underWay)
    agent.destroy()
  }
  return { exchanges, stop, [Symbol.asyncDispose]: stop }
}
