/** The data plane in one piece: the public listener and all that an exchange passes on its way to a version. */
import type { Snapshot } from '../config/snapshot.ts'
import type { Fault } from '../errors.ts'
import { type AddressSet, addressSet } from '../routing/address.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Claim } from '../upstream/claim.ts'
import type { Timer, World } from '../world.ts'
import { AccessLog, type LineSink } from './access-log.ts'
import { Exchange } from './exchange.ts'
import { Gate } from './gate.ts'
import { NodeServer } from './inbound/node.ts'
import { Listener } from './listener.ts'
import type { Plane, VersionDirectory } from './plane.ts'
import { RetryBudget } from './retry-budget.ts'
import { startSweep } from './sweep.ts'

export interface DataPlaneParts {
  readonly world: World
  readonly log: Log
  readonly metrics: Metrics
  readonly live: { current(): Snapshot }
  readonly versions: VersionDirectory & { inFlight(): readonly Claim[] }
  /** Where access log lines go. */
  readonly write: LineSink
}

/** Between looks at the exchanges' deadlines. */
const sweepMs = 250

export class DataPlane {
  readonly gate = new Gate()
  readonly accessLog: AccessLog
  readonly #parts: DataPlaneParts
  readonly #http: NodeServer
  readonly #listener: Listener
  #trustedHops: AddressSet = addressSet([])
  #sweep: Timer | null = null
  #leaving = false

  constructor(parts: DataPlaneParts) {
    const { world, metrics, live, versions } = parts
    this.#parts = parts
    this.accessLog = new AccessLog(world, metrics, parts.write)
    const plane: Plane = {
      world,
      live,
      versions,
      metrics,
      gate: this.gate,
      budget: new RetryBudget(),
      accessLog: this.accessLog,
      leaving: () => this.#leaving,
    }
    this.#http = this.#createInbound(plane)
    this.#listener = new Listener(this.#http, world)
    metrics.collect('baton_queued', () => [{ labels: {}, value: this.gate.waiting }])
    metrics.collect('baton_client_connections', () => [{ labels: {}, value: this.connectionCount }])
  }

  get connectionCount(): number {
    return this.#listener.connectionCount
  }

  /** Accepts on a socket that is bound already. @throws BatonError `bind` */
  async start(fd: number): Promise<void> {
    const { world, versions } = this.#parts
    await this.#listener.start(fd)
    const inFlight = () => versions.inFlight()
    const limits = () => this.#parts.live.current().dynamic.limits
    this.#sweep = startSweep({ world, gate: this.gate, inFlight, limits }, sweepMs)
  }

  /** Takes over what a new configuration says of connections. */
  follow({ bootstrap, dynamic }: Snapshot): void {
    this.#trustedHops = addressSet(bootstrap.listeners.public.trustedHops)
    this.#http.useTimeouts(dynamic.timeouts)
    this.gate.advance(dynamic.limits)
  }

  /** No more accepts, each response is its connection's last. True when all ended on their own within `deadlineMs`. */
  async drain(deadlineMs: number): Promise<boolean> {
    const { idleMs } = this.#parts.live.current().dynamic.drain
    this.#leaving = true
    this.#listener.stopAccepting(Math.min(idleMs, deadlineMs / 2))
    const isEmpty = await this.#listener.empty(deadlineMs)
    if (!isEmpty) this.#parts.log.warn('baton.cutting', { connections: this.connectionCount })
    return isEmpty
  }

  /** Cuts what is left. */
  async close(): Promise<void> {
    this.#sweep?.cancel()
    await this.#listener.close()
    this.accessLog.flush()
  }

  #createInbound(plane: Plane): NodeServer {
    const { world, metrics, log, live } = this.#parts
    return new NodeServer({
      world,
      accept: (inbound) => {
        const exchange = new Exchange(inbound, plane)
        exchange.begin()
        return exchange
      },
      limits: () => live.current().dynamic.limits,
      trustedHops: () => this.#trustedHops,
      refused: (fault: Fault) => {
        metrics.add('baton_refused_total', 1, fault.code)
        log.debug('request.refused', { code: fault.code, detail: fault.detail })
      },
      connected: () => metrics.add('baton_client_connections_total', 1),
    })
  }
}
