/** All that comes to a service at once: short and slow requests at a fixed rate, POSTs with ids, event streams and WebSockets. */
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../kit/until.ts'
import { type EventStreams, openEventStreams, type StreamEnd } from './event-streams.ts'
import { ask, type Exchange, type Kind } from './exchange.ts'
import { openLoop } from './open-loop.ts'
import { openWebSockets, type SocketEnd, type WebSockets } from './web-sockets.ts'

export interface TrafficOptions {
  readonly port: number
  readonly ratePerSecond: number
  readonly streams: number
  readonly sockets: number
  /** So many users take turns, and say who they are by `x-user`; without it nobody does. */
  readonly users?: number
}

/** So many events and echoes came; null where no stream or no socket was asked for. */
export interface Heard {
  readonly events: number | null
  readonly echoes: number | null
}

export interface TrafficReport {
  readonly sent: number
  readonly exchanges: readonly Exchange[]
  readonly streamEnds: readonly StreamEnd[]
  readonly socketEnds: readonly SocketEnd[]
  readonly heard: Heard
  readonly wrongEchoes: readonly string[]
}

export interface Traffic extends AsyncDisposable {
  /** So far. */
  readonly exchanges: readonly Exchange[]
  readonly streams: EventStreams
  readonly sockets: WebSockets
  /** So far. */
  heard(): Heard
  /** No more arrivals; what is under way ends. The streams and sockets are closed then. */
  stop(): Promise<TrafficReport>
}

export function startTraffic({ port, ratePerSecond, streams: streamCount, sockets: socketCount, users = 0 }: TrafficOptions): Traffic {
  const agent = new http.Agent({ keepAlive: true })
  const exchanges: Exchange[] = []
  const underWay = new Set<Promise<unknown>>()
  const run = `${process.pid}-${process.hrtime.bigint()}`
  const count = { sent: 0 }
  const loop = openLoop(ratePerSecond, (n, dueAt) => {
    const kind = kindOf(n)
    const id = `${run}-${n}`
    const asked = ask({ port, agent, kind, id, path: pathOf(kind, id, n), headers: headersOf(n, users), dueAt })
    count.sent += 1
    const settled = asked.then((exchange) => exchanges.push(exchange)).finally(() => underWay.delete(settled))
    underWay.add(settled)
  })
  const streams = openEventStreams(port, streamCount)
  const sockets = openWebSockets(port, socketCount)
  const heard = (): Heard => ({
    events: streamCount > 0 ? streams.events() : null,
    echoes: socketCount > 0 ? sockets.echoes() : null,
  })
  const stop = async (): Promise<TrafficReport> => {
    loop.stop()
    while (underWay.size > 0) await Promise.all(underWay)
    await sleep(0)
    await Promise.all([streams.stop(), sockets.stop()])
    agent.destroy()
    const { ends: streamEnds } = streams
    const { ends: socketEnds, wrong: wrongEchoes } = sockets
    const { sent } = count
    return { sent, exchanges, streamEnds, socketEnds, heard: heard(), wrongEchoes }
  }
  let stopped: Promise<TrafficReport> | null = null
  return {
    exchanges,
    streams,
    sockets,
    heard,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
    async [Symbol.asyncDispose]() {
      await this.stop()
    },
  }
}

/** Until so many more requests were answered and, where there are streams and sockets, another event and another echo came. */
export async function untilServed(traffic: Traffic, more: number, complaint: () => string): Promise<void> {
  const wanted = traffic.exchanges.length + more
  const before = traffic.heard()
  const isHeard = () => {
    const { events, echoes } = traffic.heard()
    return isMore(events, before.events) && isMore(echoes, before.echoes)
  }
  await until(
    () => traffic.exchanges.length >= wanted && isHeard(),
    () => `${traffic.exchanges.length} answered, ${wanted} wanted; heard ${JSON.stringify([before, traffic.heard()])}; ${complaint()}`,
  )
}

/** Null: there is none to hear. */
function isMore(now: number | null, before: number | null): boolean {
  return now === null || now > (before ?? 0)
}

/** Of ten: five POSTs, four GETs, one slow. */
function kindOf(n: number): Kind {
  if (n % 10 === 9) return 'slow'
  return n % 2 === 0 ? 'post' : 'get'
}

/** Without users one in 20 is a tester. */
function headersOf(n: number, users: number): Readonly<Record<string, string>> {
  if (users > 0) return { 'x-user': `${(n * 7) % users}` }
  return n % 20 === 3 ? { 'x-canary': 'true' } : {}
}

function pathOf(kind: Kind, id: string, n: number): string {
  if (kind === 'post') return `/orders?id=${id}`
  return kind === 'get' ? `/who?n=${n}` : `/slow?ms=${200 + ((n * 37) % 300)}`
}
