/** How a view is warmed. */
import type { Name } from '../entry.ts'

export type WarmSource =
  | { readonly is: 'other-version' }
  | { readonly is: 'hot-names' }
  /** A pattern as of Redis's SCAN. */
  | { readonly is: 'scan'; readonly pattern: Name }
  | { readonly is: 'file' }

export interface WarmTarget {
  /** In the view; so are bytes. */
  readonly keys: number
  readonly bytes: number | null
  /** The share of reads that the view would answer, by the hot names. */
  readonly predicted: number | null
}

export interface WarmSettings {
  /** In this order. */
  readonly from: readonly WarmSource[]
  /** Keys in one round trip. */
  readonly batch: number
  readonly perSecond: number
  readonly deadlineMs: number
  /** Warm at whichever is reached first. */
  readonly target: WarmTarget
  /** The share that has to be warm; null: whatever is. */
  readonly require: number | null
  /** Of names alone, the first that fits: one that begins with `from` is fetched as `to` and the rest. */
  readonly rename: readonly Rename[]
}

export interface Rename {
  readonly from: Name
  readonly to: Name
}
