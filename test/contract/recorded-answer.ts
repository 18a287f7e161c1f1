/** An answer that notes all that it hears, and takes as much as the test lets it. */
import assert from 'node:assert/strict'
import type { Fault } from '../../src/errors.ts'
import type { Raw } from '../../src/routing/route.ts'
import type { Answer, Sent } from '../../src/upstream/transport/transport.ts'
import { quiet, until } from '../kit/turns.ts'

export class RecordedAnswer implements Answer {
  /** `respond 200 OK`, `chunk`, `end` … in order; chunks in a row are one. */
  readonly heard: string[] = []
  /** Fields of the last head that came. */
  raw: Raw = []
  trailers: Raw | null = null
  body = Buffer.alloc(0)
  /** Bytes of chunks, whether kept or not. */
  bytes = 0
  /** What `chunk` gives. */
  takes: () => boolean = () => true
  keeps = true
  onWanted: () => void = () => {}
  fault: Fault | null = null
  sent: Sent | null = null
  /** While true nothing may be called: the call has not been handed over yet. */
  early = true

  inform(status: number, raw: Raw): void {
    this.#note(`inform ${status}`)
    this.raw = raw
  }
  respond(status: number, reason: string, raw: Raw): void {
    this.#note(`respond ${status} ${reason}`)
    this.raw = raw
  }
  upgraded(raw: Raw): void {
    this.#note('upgraded')
    this.raw = raw
  }
  chunk(bytes: Uint8Array): boolean {
    if (this.heard.at(-1) !== 'chunk') this.#note('chunk')
    if (this.keeps) this.body = Buffer.concat([this.body, bytes])
    this.bytes += bytes.length
    return this.takes()
  }
  end(trailers: Raw | null): void {
    this.#note('end')
    this.trailers = trailers
  }
  writable(): void {
    this.#check('writable')
    this.writables += 1
  }
  wanted(): void {
    this.#check('wanted')
    this.wants += 1
    this.onWanted()
  }
  failed(fault: Fault, sent: Sent): void {
    this.#note(`failed ${fault.code} ${sent}`)
    this.fault = fault
    this.sent = sent
  }

  writables = 0
  wants = 0
  /** What was called when nothing may be. Kept rather than thrown: a stream would swallow the error. */
  readonly violations: string[] = []
  #silent = false

  /** From here nothing may be heard. */
  silence(): void {
    this.#silent = true
  }

  /** This was heard, last of all, and nothing comes after it. */
  async hears(what: string): Promise<void> {
    await this.until(what)
    const count = this.heard.length
    await quiet()
    assert.deepEqual(this.heard.slice(count), [])
  }

  async until(what: string): Promise<void> {
    await until(
      () => this.heard.includes(what),
      () => `${what} is heard; heard were ${this.heard.join(', ') || 'nothing'} (${this.fault?.detail ?? ''})`,
    )
  }

  #note(what: string): void {
    this.#check(what)
    this.heard.push(what)
  }

  #check(what: string): void {
    if (this.early) this.violations.push(`${what} came before open had returned`)
    if (this.#silent) this.violations.push(`${what} came after the call was over`)
  }
}
