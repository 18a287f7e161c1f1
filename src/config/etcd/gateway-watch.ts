/** One watch through the gateway: a body that goes on, one line of JSON a message. */
import type { Readable } from 'node:stream'
import { eventOf, headerOf, type Json, listOf, mappingOf, parse } from './gateway-json.ts'
import { LineSplitter } from './line-splitter.ts'
import { causeOf } from './refusal.ts'
import type { Watch, WatchEvent, Watcher } from './store.ts'

/** etcd's own limit on a request is 1.5 MiB, which base64 makes 2 MiB. */
const lineBytes = 8 << 20

export class GatewayWatch implements Watch {
  readonly #watcher: Watcher
  readonly #aborting = new AbortController()
  readonly #gone: () => void
  #ended = false
  #fragments: WatchEvent[] = []

  constructor(watcher: Watcher, gone: () => void) {
    this.#watcher = watcher
    this.#gone = gone
  }

  get signal(): AbortSignal {
    return this.#aborting.signal
  }

  async follow(body: Readable): Promise<void> {
    const lines = new LineSplitter(lineBytes)
    try {
      for await (const chunk of body) {
        for (const line of lines.take(chunk as Buffer)) {
          if (this.#ended) return
          this.#heard(parse(line))
        }
      }
      this.end({ is: 'lost', reason: 'etcd ended the watch' })
    } catch (error) {
      this.end({ is: 'lost', reason: causeOf(error) })
    }
  }

  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#leave()
  }

  end(why: Parameters<Watcher['ended']>[0]): void {
    if (this.#ended) return
    this.#ended = true
    this.#leave()
    this.#watcher.ended(why)
  }

  #leave(): void {
    this.#gone()
    this.#aborting.abort()
  }

  #heard(message: Json): void {
    if (message.error !== undefined) {
      this.end({ is: 'lost', reason: String(mappingOf(message.error).message ?? 'an error without words') })
      return
    }
    const result = mappingOf(message.result)
    if (result.canceled === true) {
      const compacted = Number(result.compact_revision ?? 0) > 0
      this.end({ is: compacted ? 'compacted' : 'lost', reason: String(result.cancel_reason ?? 'etcd cancelled the watch') })
      return
    }
    this.#fragments.push(...listOf(result.events).map(eventOf))
    if (result.fragment === true || this.#fragments.length === 0) return
    const events = this.#fragments
    this.#fragments = []
    this.#watcher.changed(events, headerOf(result))
  }
}
