/** Counts of one version on one route, in plain number arrays: what the hot path may touch. Read at scrape only. */
import { metricsTable } from './metrics-table.ts'

export const methodClasses = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const
export const statusClasses = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const
export const durationBuckets: readonly number[] = metricsTable.baton_request_duration_seconds.buckets

function methodClass(method: string): number {
  switch (method) {
    case 'GET':
      return 0
    case 'HEAD':
      return 1
    case 'POST':
      return 2
    case 'PUT':
      return 3
    case 'PATCH':
      return 4
    case 'DELETE':
      return 5
    case 'OPTIONS':
      return 6
    default:
      return 7
  }
}

export class Series {
  readonly version: string
  readonly route: string
  /** [method class × status class] */
  readonly requests = new Float64Array(methodClasses.length * statusClasses.length)
  /** One a bucket, the last is above every bound; not cumulative. */
  readonly durations = new Float64Array(durationBuckets.length + 1)
  durationSumSeconds = 0
  receivedBytes = 0
  sentBytes = 0

  constructor(version: string, route: string) {
    this.version = version
    this.route = route
  }

  /** `status` 0: the client had gone before one was sent. `durationMs` below 0: not counted (a tunnel). */
  ended(method: string, status: number, durationMs: number, receivedBytes: number, sentBytes: number): void {
    const statusClass = status === 0 ? 0 : Math.min(5, Math.trunc(status / 100))
    const at = methodClass(method) * statusClasses.length + statusClass
    this.requests[at] = (this.requests[at] ?? 0) + 1
    this.receivedBytes += receivedBytes
    this.sentBytes += sentBytes
    if (durationMs >= 0) this.#observe(durationMs / 1000)
  }

  #observe(seconds: number): void {
    let bucket = 0
    while (bucket < durationBuckets.length && seconds > (durationBuckets[bucket] ?? 0)) bucket += 1
    this.durations[bucket] = (this.durations[bucket] ?? 0) + 1
    this.durationSumSeconds += seconds
  }
}
