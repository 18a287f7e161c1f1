/** Follows a version's host name, its IPv4 addresses first (an app on "localhost" seldom listens on ::1 as well): looked up again every few seconds, and a moved address is reported. An address needs no look-up. */
import { lookup } from 'node:dns/promises'
import net from 'node:net'
import { errorCode, errorMessage } from '../errors.ts'
import type { Timer, World } from '../world.ts'

export type Resolution =
  | { readonly is: 'moved'; readonly address: string }
  | { readonly is: 'failed'; readonly reason: string }
  | { readonly is: 'same' }
  | { readonly is: 'refused'; readonly address: string }

export interface ResolverParts {
  readonly world: World
  readonly periodMs: number
  /** Whether baton may connect to this address. */
  allowed(address: string): boolean
  resolved(resolution: Resolution): void
}

export class Resolver {
  readonly #host: string
  readonly #parts: ResolverParts
  #timer: Timer | null = null
  #address: string | null = null
  #stopped = false

  constructor(host: string, parts: ResolverParts) {
    this.#host = host
    this.#parts = parts
  }

  start(): void {
    if (net.isIP(this.#host) === 0) void this.#look()
    else this.#take([this.#host])
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    try {
      const found = await lookup(this.#host, { all: true, order: 'ipv4first' })
      if (!this.#stopped) this.#take(found.map(({ address }) => address))
    } catch (error) {
      // the last known address goes on serving: a name server's fault must not become the app's
      if (!this.#stopped) this.#parts.resolved({ is: 'failed', reason: errorCode(error) || errorMessage(error) })
    }
    if (!this.#stopped) this.#timer = this.#parts.world.after(this.#parts.periodMs, () => void this.#look())
  }

  /** Stays with an address as long as the name has it. */
  #take(addresses: readonly string[]): void {
    if (this.#address !== null && addresses.includes(this.#address)) return this.#parts.resolved({ is: 'same' })
    const address = addresses.find((each) => this.#parts.allowed(each))
    if (address === undefined) return this.#parts.resolved({ is: 'refused', address: addresses[0] ?? 'none' })
    this.#address = address
    this.#parts.resolved({ is: 'moved', address })
  }
}
