/** The access log: off, on, or sampled. Lines are gathered and written together; a slow reader loses lines, never requests. */
import type { AccessLogSettings } from '../config/settings.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Timer, World } from '../world.ts'

export interface AccessRecord {
  readonly client: string
  readonly method: string
  readonly host: string
  readonly target: string
  readonly status: number
  readonly version: string | null
  readonly route: string | null
  readonly durationMs: number
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly attempts: number
  readonly fault: string | null
}

/** Where lines go; false means that it cannot keep up. */
export type LineSink = (text: string) => boolean

const gatherMs = 100
const gatherBytes = 65536

export class AccessLog {
  readonly #world: World
  readonly #metrics: Metrics
  readonly #write: LineSink
  #gathered = ''
  #timer: Timer | null = null
  #full = false

  constructor(world: World, metrics: Metrics, write: LineSink) {
    this.#world = world
    this.#metrics = metrics
    this.#write = write
  }

  wants(settings: AccessLogSettings): boolean {
    return settings.is === 'on' || (settings.is === 'sample' && this.#world.random() < settings.rate)
  }

  add(record: AccessRecord): void {
    if (this.#full) return this.#metrics.add('baton_log_dropped_total', 1)
    this.#gathered += this.#line(record)
    if (this.#gathered.length > gatherBytes) this.flush()
    else this.#timer ??= this.#world.after(gatherMs, () => this.flush())
  }

  flush(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (this.#gathered === '') return
    this.#full = !this.#write(this.#gathered)
    this.#gathered = ''
  }

  /** The reader has caught up. */
  drained(): void {
    this.#full = false
  }

  #line(record: AccessRecord): string {
    const { durationMs, receivedBytes, sentBytes, ...rest } = record
    const duration = Math.round(durationMs * 1000) / 1000
    const fields = {
      time: new Date(this.#world.now()).toISOString(),
      event: 'access',
      ...rest,
      duration_ms: duration,
      received_bytes: receivedBytes,
      sent_bytes: sentBytes,
    }
    return `${JSON.stringify(fields)}\n`
  }
}
