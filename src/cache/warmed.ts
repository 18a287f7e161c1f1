/** A warm-up's end, as an upgrade hears of it. Pure. */
import type { WarmState } from './warming.ts'

export type Warmed =
  /** The version has no cache. */
  { readonly is: 'none' } | { readonly is: 'warm' | 'short' | 'refused'; readonly detail: string; readonly coverage: Coverage }

export interface Coverage {
  readonly keys: number
  readonly bytes: number
  readonly coverage: number | null
  readonly predicted: number | null
  readonly tookMs: number
}

const words = { go: 'warm', 'go-with-warning': 'short', refuse: 'refused' } as const

export function warmedOf(version: string, { ended, share, verdict, progress }: WarmState): Warmed {
  const { keys, bytes, coverage, predicted, elapsedMs, faults } = progress
  const reached = share === null ? 'nothing was named that could be warmed' : `${Math.floor(share * 100)} % of what was to be warmed`
  const trouble = faults.length === 0 ? '' : `; ${faults.join('; ')}`
  const detail = `the cache of ${version} has ${keys} keys, ${reached}; it ended by ${ended ?? 'nothing yet'}${trouble}`
  return { is: words[verdict], detail, coverage: { keys, bytes, coverage, predicted, tookMs: elapsedMs } }
}

/** What is warm here has not all come to the app's own cache within the time. */
export function notTaken(version: string, state: WarmState, require: number | null): Warmed {
  const { keys, bytes, predicted, elapsedMs } = state.progress
  const detail = `the app of ${version} has not taken all of the ${keys} keys that are warm for it`
  return { is: require === null ? 'short' : 'refused', detail, coverage: { keys, bytes, coverage: null, predicted, tookMs: elapsedMs } }
}

/** This Redis cannot be a source: nothing is kept of it. */
export function uncached(version: string, why: string, require: number | null): Warmed {
  const coverage = { keys: 0, bytes: 0, coverage: null, predicted: null, tookMs: 0 }
  return { is: require === null ? 'short' : 'refused', detail: `${version} has no cache: ${why}`, coverage }
}
