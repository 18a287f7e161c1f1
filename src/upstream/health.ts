/**
 * What the probes say of a version, as a pure step function.
 *
 *   starting ──successThreshold passes in a row──► ready ◄──────────────────────────┐
 *      ▲  (no traffic; failures are not counted)     │ failureThreshold failures    │ successThreshold passes
 *      │ its process or endpoint is new              ▼ in a row, or passive failures│ in a row
 *      └───────────────────────────────────────── not-ready ───────────────────────┘
 *
 * Invariant: a version whose pending streak is not empty, or that is starting, is *undecided*: it is probed at the fast interval.
 */
import type { HealthSettings } from '../config/settings.ts'

export type Probe =
  | { readonly is: 'starting'; readonly since: number }
  | { readonly is: 'ready'; readonly since: number }
  | { readonly is: 'not-ready'; readonly since: number; readonly reason: string }

export interface Health {
  readonly probe: Probe
  /** Outcomes in a row that speak against the present state. */
  readonly streak: number
}

export type Outcome = { readonly is: 'pass' } | { readonly is: 'fail'; readonly reason: string }

type Thresholds = Pick<HealthSettings, 'successThreshold' | 'failureThreshold'>

export function starting(now: number): Health {
  return { probe: { is: 'starting', since: now }, streak: 0 }
}

/** A state known from before a restart: trusted at once, and checked by the next probe. */
export function trusted(now: number): Health {
  return { probe: { is: 'ready', since: now }, streak: 0 }
}

export function afterProbe(health: Health, outcome: Outcome, thresholds: Thresholds, now: number): Health {
  const { probe } = health
  if (probe.is === 'ready') {
    if (outcome.is === 'pass') return health.streak === 0 ? health : { probe, streak: 0 }
    const streak = health.streak + 1
    return streak >= thresholds.failureThreshold ? notReady(outcome.reason, now) : { probe, streak }
  }
  if (outcome.is === 'fail') {
    if (probe.is === 'not-ready' && probe.reason !== outcome.reason) return { probe: { ...probe, reason: outcome.reason }, streak: 0 }
    return health.streak === 0 ? health : { probe, streak: 0 }
  }
  const streak = health.streak + 1
  return streak >= thresholds.successThreshold ? { probe: { is: 'ready', since: now }, streak: 0 } : { probe, streak }
}

/** Exchanges, not probes, found it failing. */
export function notReady(reason: string, now: number): Health {
  return { probe: { is: 'not-ready', since: now, reason }, streak: 0 }
}

export function isUndecided(health: Health): boolean {
  return health.probe.is === 'starting' || health.streak > 0
}
