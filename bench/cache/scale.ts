/** How long and how much: a whole run, and one that only shows that everything works. */

export interface Scale {
  /** Of each section; medians are told. */
  readonly rounds: number
  /** Of one client that asks, one turn. */
  readonly turnMs: number
  /** Keys that all are hit. */
  readonly hotKeys: number
  /** Of redis-benchmark, requests at once → requests in one turn. */
  readonly pipelines: readonly (readonly [pipelined: number, requests: number])[]
  readonly zipfKeys: number
  readonly zipfReads: number
  readonly warmKeys: number
  /** Of v1 alone, before an upgrade. */
  readonly beforeMs: number
  /** Of v2 that are looked at after the upgrade. */
  readonly watchSeconds: number
  /** Upgrades with and without a warm-up, each. */
  readonly upgrades: number
  readonly requestsPerSecond: number
  readonly writeTurnMs: number
}

export const whole: Scale = {
  rounds: 3,
  turnMs: 500,
  hotKeys: 1_000,
  pipelines: [
    [1, 30_000],
    [16, 200_000],
    [64, 250_000],
  ],
  zipfKeys: 20_000,
  zipfReads: 60_000,
  warmKeys: 100_000,
  beforeMs: 4_000,
  watchSeconds: 20,
  upgrades: 2,
  requestsPerSecond: 200,
  writeTurnMs: 1_000,
}

export const tiny: Scale = {
  rounds: 1,
  turnMs: 40,
  hotKeys: 50,
  pipelines: [[16, 1_000]],
  zipfKeys: 200,
  zipfReads: 1_000,
  warmKeys: 1_000,
  beforeMs: 1_000,
  watchSeconds: 2,
  upgrades: 1,
  requestsPerSecond: 50,
  writeTurnMs: 200,
}
