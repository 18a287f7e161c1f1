/** A receiver that notes all that it hears of one request, and takes as much of its body as the test lets it. */
import type { Fault } from '../../src/errors.ts'
import type { Inbound, Receiver } from '../../src/proxy/inbound/inbound.ts'
import type { Raw } from '../../src/routing/route.ts'
import { until } from '../kit/turns.ts'

export class RecordedReceiver implements Receiver {
  readonly inbound: Inbound
  /** `body`, `end`, `gone CODE` … in order; bodies in a row are one. */
  readonly heard: string[] = []
  bytes = 0
  text = ''
  keeps = true
  trailers: Raw | null = null
  sendables = 0
  takes: () => boolean = () => true
  onSendable: () => void = () => {}
  /** What was heard when nothing may be. */
  readonly violations: string[] = []
  #silent = false

  constructor(inbound: Inbound) {
    this.inbound = inbound
  }

  body(bytes: Uint8Array): boolean {
    if (this.heard.at(-1) !== 'body') this.#note('body')
    this.bytes += bytes.length
    if (this.keeps) this.text += Buffer.from(bytes).toString('latin1')
    return this.takes()
  }
  bodyEnd(trailers: Raw | null): void {
    this.#note('end')
    this.trailers = trailers
  }
  sendable(): void {
    this.sendables += 1
    this.onSendable()
  }
  gone(fault: Fault): void {
    this.#note(`gone ${fault.code}`)
  }

  silence(): void {
    this.#silent = true
  }

  async until(what: string): Promise<void> {
    await until(
      () => this.heard.includes(what),
      () => `${what} is heard; heard were ${this.heard.join(', ') || 'nothing'}`,
    )
  }

  #note(what: string): void {
    if (this.#silent) this.violations.push(what)
    this.heard.push(what)
  }
}
