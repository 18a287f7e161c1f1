/** The relay of an event stream: bytes pass as they come until a drain asks it to go; then it ends after the event that is under way. */
import type { Raw } from '../routing/route.ts'
import { EventStreamEnd } from './event-stream-end.ts'
import { fieldValue } from './field.ts'
import type { Inbound } from './inbound/inbound.ts'

export function isEventStream(raw: Raw): boolean {
  return fieldValue(raw, 'content-type')?.toLowerCase().startsWith('text/event-stream') === true
}

export class EventStream {
  readonly #client: Pick<Inbound, 'write'>
  readonly #left: () => void
  readonly #end: EventStreamEnd | null
  #asked = false

  /** `left` is called once, when it was asked to go and everything of its last event has been passed on. */
  constructor(raw: Raw, client: Pick<Inbound, 'write'>, left: () => void) {
    this.#client = client
    this.#left = left
    // a length, or a coding of its bytes, says itself how the stream has to end
    const isOpen = fieldValue(raw, 'content-length') === undefined && fieldValue(raw, 'content-encoding') === undefined
    this.#end = isOpen ? new EventStreamEnd() : null
  }

  fromApp(bytes: Uint8Array): boolean {
    if (this.#asked) return this.#last(bytes)
    this.#end?.pass(bytes)
    return this.#client.write(bytes)
  }

  leave(): void {
    if (this.#asked || this.#end === null) return
    this.#asked = true
    if (this.#end.atBoundary) this.#left()
  }

  #last(bytes: Uint8Array): boolean {
    const end = this.#end?.next(bytes) ?? -1
    if (end === -1) return this.#client.write(bytes)
    this.#client.write(bytes.subarray(0, end))
    this.#left()
    return true
  }
}
