/** Tells of events by HTTP, as `bootstrap.webhooks` says; in step with the configuration. What is told of a webhook itself goes to none. */

import { readSecret } from '../config/secret-file.ts'
import type { WebhookSettings } from '../config/settings.ts'
import { BatonError, errorMessage } from '../errors.ts'
import { undeliveredEvents } from '../telemetry/event-names.ts'
import type { BatonEvent } from '../telemetry/events.ts'
import type { EventSource } from './event-stream.ts'
import { Webhook, type WebhookParts } from './webhook.ts'

type Settings = Readonly<Record<string, WebhookSettings>>

/** For what is under way when baton stops, or when a webhook is taken away. */
const stopMs = 2_000

export class Webhooks {
  readonly #parts: WebhookParts & { readonly events: Pick<EventSource, 'listen'> }
  readonly #hooks = new Map<string, Webhook>()
  #deafen: (() => void) | null = null

  constructor(parts: WebhookParts & { readonly events: Pick<EventSource, 'listen'> }) {
    this.#parts = parts
  }

  /** @throws BatonError `start`: a secret cannot be used. Later that is a failed delivery. */
  async start(settings: Settings): Promise<void> {
    for (const [name, { secretFile }] of Object.entries(settings)) {
      await readSecret(secretFile).catch((error: unknown) => {
        throw new BatonError('start', `bootstrap.webhooks.${name}.secretFile ${errorMessage(error)}`, error)
      })
    }
    this.follow(settings)
    this.#deafen = this.#parts.events.listen((event) => this.#take(event))
  }

  follow(settings: Settings): void {
    for (const [name, hook] of this.#hooks) {
      if (Object.hasOwn(settings, name)) continue
      this.#hooks.delete(name)
      void hook.stop(stopMs)
    }
    for (const [name, each] of Object.entries(settings)) {
      const present = this.#hooks.get(name)
      if (present === undefined) this.#hooks.set(name, new Webhook(name, each, this.#parts))
      else present.useSettings(each)
    }
  }

  async stop(): Promise<void> {
    this.#deafen?.()
    await Promise.all([...this.#hooks.values()].map((hook) => hook.stop(stopMs)))
  }

  #take(event: BatonEvent): void {
    if (undeliveredEvents.some((name) => name === event.event)) return
    for (const hook of this.#hooks.values()) hook.take(event)
  }
}
