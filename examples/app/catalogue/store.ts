/** Where the items are kept. */

export interface Found {
  readonly text: string | null
  /** Who was asked, for people. */
  readonly from: string
}

export interface Store {
  /** Rejects when Redis does not answer. */
  read(key: string): Promise<Found>
  write(key: string, text: string): Promise<void>
  close(): void
}
