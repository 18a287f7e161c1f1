/** What is measured of both versions at one moment, as the verdict takes it. Plain data: it goes into the journal, to be judged again. */

/** Of one version over one window. */
export interface Traffic {
  /** Exchanges that ended. */
  readonly requests: number
  /** Of these: 5xx and failures to answer. */
  readonly errors: number
  /** In ms; null where nothing was timed. */
  readonly p50: number | null
  readonly p99: number | null
  /** What the p99 is at least, chance allowed for. Absent in what an older build kept: the p99 itself is taken. */
  readonly p99Low?: number | null
  /** Requests behind the percentiles: the timed ones, and those under way that have outlasted them. */
  readonly timed: number
  readonly inFlight: number
}

export interface CpuUse {
  /** Of its limit, on average over `overMs`. */
  readonly share: number
  readonly overMs: number
  readonly limitCores: number
  /** CPU time per request over `overMs`, in ms; null where there were none. */
  readonly perRequestMs: number | null
}

export interface Measurements {
  /** ms since the epoch. */
  readonly at: number
  /** When the present step (or its repetition after a degrade) began, ms since the epoch. */
  readonly stepBeganAt: number
  /** The step gives the candidate a share of traffic; false of header-only and while degraded: there, no traffic is no verdict. */
  readonly expectsTraffic: boolean
  readonly candidate: {
    /** Over `windows.candidateMs`, cut off at the beginning of the step. */
    readonly traffic: Traffic
    /** Null: it cannot be known of this version. */
    readonly cpu: CpuUse | null
    /** How often its process ended by itself since traffic began to shift. */
    readonly exits: number
    /** For how long it has not been ready; 0 of a ready one. */
    readonly notReadyMs: number
  }
  readonly stable: {
    /** Over `windows.stableMs`. */
    readonly long: Traffic
    /** Over the same window as the candidate's. */
    readonly same: Traffic
    readonly cpu: CpuUse | null
  }
  /** Stable over `windows.stableMs` before the first step; takes the place of `same` once stable has too little traffic. Null: not recorded. */
  readonly baseline: Traffic | null
}
