/** Where the items are kept. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Found {
  readonly text: string | null
  /** Who was asked, for people. */
  readonly from: string
}

export interface Store {
  /** Rejects when Redis does not answer. */
  read(key: string): Promise<Found>
  write(key: string, text: string): Promise<void>
  /** True: the request was for the store, and is answered. */
  takes(request: IncomingMessage, response: ServerResponse): boolean
  close(): void
}
