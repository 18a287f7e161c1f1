/** What a drain did: counted while it runs, told when it ends. */
import { type Claim, type ClaimKind, claimKinds } from './claim.ts'

export interface DrainCount {
  /** Under way as the drain began. */
  readonly before: number
  /** Ages of those, ms; 0 if there were none. */
  readonly medianMs: number
  readonly oldestMs: number
  /** Ended by itself. */
  readonly ended: number
  /** Asked to go, and went. */
  readonly asked: number
  readonly cut: number
}

export interface DrainReport {
  /** `undone`: the version takes exchanges again; what the counts lack is still under way. */
  readonly is: 'done' | 'undone'
  readonly tookMs: number
  /** How long requests were given. */
  readonly windowMs: number
  readonly before: number
  readonly cut: number
  /** By the kind that each was as it was counted: a request may have become a stream meanwhile. */
  readonly kinds: Readonly<Record<ClaimKind, DrainCount>>
}

export type Outcome = 'ended' | 'asked' | 'cut'

export class DrainTally {
  readonly #ages: Record<ClaimKind, number[]> = { request: [], stream: [], tunnel: [] }
  readonly #outcomes: Record<ClaimKind, Record<Outcome, number>> = { request: none(), stream: none(), tunnel: none() }

  constructor(claims: readonly Claim[], now: number) {
    for (const { kind, claimedAt } of claims) this.#ages[kind].push(now - claimedAt)
    for (const kind of claimKinds) this.#ages[kind].sort((a, b) => a - b)
  }

  add(kind: ClaimKind, outcome: Outcome): void {
    this.#outcomes[kind][outcome] += 1
  }

  report(is: DrainReport['is'], tookMs: number, windowMs: number): DrainReport {
    const kinds = { request: this.#of('request'), stream: this.#of('stream'), tunnel: this.#of('tunnel') }
    const sum = (read: (count: DrainCount) => number) => claimKinds.reduce((total, kind) => total + read(kinds[kind]), 0)
    return { is, tookMs, windowMs, before: sum(({ before }) => before), cut: sum(({ cut }) => cut), kinds }
  }

  #of(kind: ClaimKind): DrainCount {
    const ages = this.#ages[kind]
    const age = (at: number) => Math.round(ages[at] ?? 0)
    return { before: ages.length, medianMs: age(ages.length >> 1), oldestMs: age(ages.length - 1), ...this.#outcomes[kind] }
  }
}

function none(): Record<Outcome, number> {
  return { ended: 0, asked: 0, cut: 0 }
}
