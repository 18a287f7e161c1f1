/** How an upgrade moves traffic: the steps of a named plan, every default filled in. */

/** One step of a plan. The plan advances when its time has passed and its requests were served, or on `promote` where it is manual. */
export interface PlanStep {
  /** `header-only`: routes alone reach the candidate. `weight`: a share of stable's traffic goes there too. `bake`: all of it, the old one warm. */
  readonly is: 'header-only' | 'weight' | 'bake'
  /** Percent of stable's traffic: 0 of header-only, 100 of bake. */
  readonly weight: number
  readonly forMs: number
  /** Exchanges that the candidate has to have ended within the step. */
  readonly minRequests: number
  /** Only `promote` ends it. */
  readonly manual: boolean
}

export interface Plan {
  readonly name: string
  /** `exclusive`: the two versions must not serve at once. */
  readonly strategy: 'shift' | 'exclusive'
  /** Of a shift at least one, and commit follows the last; an exclusive plan has none. */
  readonly steps: readonly PlanStep[]
  /** The new version has to be ready within this time of its start. */
  readonly readyTimeoutMs: number
  /** The old version stays alive, drained, this long after `done`: a warm spare. */
  readonly retireAfterMs: number
}
