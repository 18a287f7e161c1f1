/**
 * One webhook: the events that wait for it, and their delivery, one at a time and in their order.
 *
 *   idle ──event──► attempt ──2xx──────────────────────────► next event, or idle
 *                      │ ▲    ──3xx, 4xx──► refused ────────► next
 *                      │ └──backoff──┐
 *                      └──no answer, 408, 425, 429, 5xx──────┘ five times, then failed ──► next
 *
 * Invariants: `take` never waits and never throws; what waits is bounded, the oldest gives way; what is wrong is told once, until it is right again.
 */
import { createHmac } from 'node:crypto'
import { readSecret } from '../config/secret-file.ts'
import type { WebhookSettings } from '../config/settings.ts'
import { errorMessage } from '../errors.ts'
import type { BatonEvent } from '../telemetry/events.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { callForStatus } from '../upstream/status-call.ts'
import type { World } from '../world.ts'

export interface WebhookParts {
  readonly world: World
  readonly log: Log
  readonly metrics: Metrics
}

const queueLength = 256
const attemptMs = 5_000
const retries = 5
const backoffBaseMs = 500
const backoffMaxMs = 10_000

/** Of a receiver that may do better later. */
const passing: readonly number[] = [408, 425, 429]

type Attempt = { readonly is: 'delivered' } | { readonly is: 'refused' | 'again'; readonly reason: string }

export class Webhook {
  readonly #name: string
  readonly #parts: WebhookParts
  #settings: WebhookSettings
  #queue: BatonEvent[] = []
  /** While something is under way. */
  #delivery: Promise<void> | null = null
  /** Ends a backoff before its time. */
  #wake: (() => void) | null = null
  readonly #abort = new AbortController()
  #stopping = false
  #isFailing = false

  constructor(name: string, settings: WebhookSettings, parts: WebhookParts) {
    this.#name = name
    this.#settings = settings
    this.#parts = parts
  }

  /** From the next attempt on; what waits goes to the new place. */
  useSettings(settings: WebhookSettings): void {
    this.#settings = settings
  }

  take(event: BatonEvent): void {
    const { events } = this.#settings
    if (this.#stopping || (events !== 'all' && !events.some((name) => name === event.event))) return
    this.#queue.push(event)
    if (this.#queue.length > queueLength) {
      this.#queue.shift()
      this.#drop(1)
    }
    this.#delivery ??= this.#deliverAll()
  }

  /** What waits is tried once more each, within `graceMs`; the rest is dropped. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    this.#wake?.()
    const timer = this.#parts.world.after(graceMs, () => {
      this.#drop(this.#queue.length)
      this.#queue = []
      this.#abort.abort(new Error('baton stops'))
    })
    await this.#delivery
    timer.cancel()
  }

  async #deliverAll(): Promise<void> {
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) await this.#deliver(event)
    // in one step with the look at the queue: what is taken next begins anew
    this.#delivery = null
  }

  async #deliver(event: BatonEvent): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#attempt(event)
      this.#told(outcome)
      if (outcome.is !== 'again') return this.#count(outcome.is)
      if (attempt === retries || this.#stopping) return this.#count('failed')
      this.#count('retried')
      await this.#pause(attempt)
    }
  }

  async #attempt(event: BatonEvent): Promise<Attempt> {
    const { world } = this.#parts
    const { url, secretFile } = this.#settings
    try {
      const body = bodyOf(event)
      const timestamp = String(Math.floor(world.now() / 1000))
      const signature = createHmac('sha256', await readSecret(secretFile))
        .update(`${timestamp}.${body}`)
        .digest('hex')
      const headers = {
        'content-type': 'application/json',
        'baton-event': event.event,
        'baton-timestamp': timestamp,
        'baton-signature': `sha256=${signature}`,
      }
      const call = { url, method: 'POST', headers, body, timeoutMs: attemptMs, signal: this.#abort.signal }
      return judge(await callForStatus(call, world))
    } catch (error) {
      return { is: 'again', reason: errorMessage(error) }
    }
  }

  #pause(attempt: number): Promise<void> {
    const { world } = this.#parts
    const { promise, resolve } = Promise.withResolvers<void>()
    // several instances that saw the same receiver fail come back at different times
    const delayMs = Math.min(backoffMaxMs, backoffBaseMs * 2 ** attempt * (0.5 + world.random()))
    const timer = world.after(delayMs, resolve)
    this.#wake = () => {
      timer.cancel()
      resolve()
    }
    return promise.finally(() => {
      this.#wake = null
    })
  }

  /** The receiver's state, not each attempt: a log line is an event, and a receiver that is down must not make more of them. */
  #told(outcome: Attempt): void {
    const { log } = this.#parts
    const isFailing = outcome.is !== 'delivered'
    if (isFailing === this.#isFailing) return
    this.#isFailing = isFailing
    if (isFailing) log.warn('webhook.failing', { webhook: this.#name, reason: outcome.reason })
    else log.info('webhook.recovered', { webhook: this.#name })
  }

  #count(outcome: 'delivered' | 'retried' | 'refused' | 'failed'): void {
    this.#parts.metrics.add('baton_webhook_deliveries_total', 1, this.#name, outcome)
  }

  #drop(count: number): void {
    if (count > 0) this.#parts.metrics.add('baton_webhook_dropped_total', count, this.#name)
  }
}

function bodyOf({ id, time, event, fields }: BatonEvent): string {
  // first for the eye, and last so that no field takes their names
  return JSON.stringify(Object.assign({ id, time, event }, fields, { id, time, event }))
}

function judge(status: number): Attempt {
  if (status >= 200 && status <= 299) return { is: 'delivered' }
  const reason = `it answered ${status}`
  return { is: status >= 500 || passing.includes(status) ? 'again' : 'refused', reason }
}
