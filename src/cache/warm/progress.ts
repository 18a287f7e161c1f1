/** How far a warm-up has come, and whether that is enough. Pure. */
import type { WarmSettings, WarmTarget } from './settings.ts'

export interface WarmProgress {
  /** `waiting`: for a Redis that is tracked; `adopting`: what another version holds; `reading`: from Redis. */
  readonly phase: 'waiting' | 'naming' | 'adopting' | 'reading' | 'ended'
  /** Whose names these are; null before the first and after the last. */
  readonly source: string | null
  /** Different names that sources gave so far; each becomes one of the next four. */
  readonly named: number
  readonly kept: number
  /** Redis does not have it, which is known now. */
  readonly absent: number
  /** Not to be kept: of another type, too big, not to be read. */
  readonly refused: number
  /** Changed again and again while it was read. */
  readonly dropped: number
  /** In the view, whoever put it there; so are bytes. */
  readonly keys: number
  readonly bytes: number
  /** Of the names, those that are kept or known to be absent; null without names. Of names alone that were given so far: see `isNamed`. */
  readonly coverage: number | null
  /** The share of reads that the view would answer, by the hot names; null while they are not known. */
  readonly predicted: number | null
  /** Every source gave all that it has. */
  readonly isNamed: boolean
  /** There is no room for more. */
  readonly isFull: boolean
  /** Of sources that could not be used. */
  readonly faults: readonly string[]
  readonly elapsedMs: number
}

/** Less than this is worth a warning where nothing is required. */
const usual = 0.9

/**
 * Of the target, or of what the sources name if that is less. Null where they named nothing: there is nothing to be as warm as.
 * While there may be more names, those that are known say nothing of how much is missing.
 */
export function shareWarm(progress: WarmProgress, target: WarmTarget): number | null {
  if (progress.isFull) return 1
  const shares = targetShares(progress, target)
  if (progress.isNamed && progress.coverage !== null) shares.push(progress.coverage)
  const share = Math.min(1, Math.max(...shares))
  return progress.isNamed && progress.named === 0 && share < 1 ? null : share
}

export function reachesTarget(progress: WarmProgress, target: WarmTarget): boolean {
  return Math.max(...targetShares(progress, target)) >= 1
}

function targetShares(progress: WarmProgress, { keys, bytes, predicted }: WarmTarget): number[] {
  const shares = [progress.keys / keys]
  if (bytes !== null) shares.push(progress.bytes / bytes)
  if (predicted !== null && progress.predicted !== null) shares.push(progress.predicted / predicted)
  return shares
}

export type WarmVerdict = 'go' | 'go-with-warning' | 'refuse'

export function judgeWarm(progress: WarmProgress, { target, require }: Pick<WarmSettings, 'target' | 'require'>): WarmVerdict {
  const share = shareWarm(progress, target)
  if (share !== null && share >= (require ?? usual)) return 'go'
  return require === null || share === null ? 'go-with-warning' : 'refuse'
}
