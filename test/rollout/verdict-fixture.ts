/** Measurements for the tests of the verdict: a calm moment, a minute into a step, and what differs from it. */
import type { CpuUse, Measurements, Traffic } from '../../src/rollout/measurements.ts'
import { defaultPolicy, type Policy, type SignalName } from '../../src/rollout/policy.ts'
import { evaluate, noMemory, type Verdict, type VerdictMemory } from '../../src/rollout/verdict.ts'

export function traffic(given: Partial<Traffic> = {}): Traffic {
  const requests = given.requests ?? 1_000
  return { requests, errors: 0, p50: requests === 0 ? null : 10, p99: requests === 0 ? null : 50, timed: requests, inFlight: 0, ...given }
}

export function cpuUse(share: number, overMs = 15_000): CpuUse {
  return { share, overMs, limitCores: 1, perRequestMs: 2 }
}

export interface Moment {
  readonly at?: number
  readonly expectsTraffic?: boolean
  readonly candidate?: Partial<Measurements['candidate']>
  readonly stable?: Partial<Measurements['stable']>
  readonly baseline?: Traffic | null
}

/** `at` is ms since the step began. */
export function moment({ at = 60_000, expectsTraffic = true, candidate, stable, baseline = null }: Moment = {}): Measurements {
  return {
    at,
    stepBeganAt: 0,
    expectsTraffic,
    candidate: { traffic: traffic(), cpu: cpuUse(0.5), exits: 0, notReadyMs: 0, ...candidate },
    stable: { long: traffic({ requests: 5_000 }), same: traffic(), cpu: cpuUse(0.5), ...stable },
    baseline,
  }
}

/** Of each signal a measurement that breaches the default policy. */
export const breaches: Readonly<Record<SignalName, Partial<Measurements['candidate']>>> = {
  errorRate: { traffic: traffic({ errors: 20 }) },
  latency: { traffic: traffic({ p99: 300 }) },
  cpu: { cpu: cpuUse(0.95) },
}

export function breaching(signals: readonly SignalName[]): Partial<Measurements['candidate']> {
  return {
    traffic: traffic({ errors: signals.includes('errorRate') ? 20 : 0, p99: signals.includes('latency') ? 300 : 50 }),
    cpu: cpuUse(signals.includes('cpu') ? 0.95 : 0.5),
  }
}

/** Of the default policy, with keys of its parts changed. */
export function policyWith(
  given: {
    readonly [Part in keyof Policy]?: Policy[Part] extends object ? Partial<Policy[Part]> : Policy[Part]
  },
): Policy {
  const merged = Object.entries(given).map(([part, value]) => {
    const usual = defaultPolicy[part as keyof Policy]
    return [part, typeof usual === 'object' ? { ...usual, ...(value as object) } : value]
  })
  return { ...defaultPolicy, ...Object.fromEntries(merged) }
}

export function verdictOf(given: Moment = {}, policy: Policy = defaultPolicy, memory: VerdictMemory = noMemory): Verdict {
  return evaluate(policy, moment(given), memory).verdict
}
