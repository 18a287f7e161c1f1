/** What became of warming a new version's cache. */

/** `warm`; `short` of what is usual, and that is allowed; `refused`: short of what the configuration requires. `none`: it has no cache. */
export type Warmed =
  | { readonly is: 'none' }
  | {
      readonly is: 'warm' | 'short' | 'refused'
      /** One line for people. */
      readonly detail: string
      readonly coverage: WarmCoverage
    }

/** Told in the receipt. */
export interface WarmCoverage {
  readonly keys: number
  readonly bytes: number
  /** Of what was to be warmed, the share that was; null: nothing was named. */
  readonly coverage: number | null
  /** The share of reads that the cache would answer; null: not known. */
  readonly predicted: number | null
  readonly tookMs: number
}
