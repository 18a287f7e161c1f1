/** The words of an upgrade: where it stands, what can happen to it, what is to be done. `step.ts` says how they follow one another. */
import type { VersionName } from '../routing/route.ts'
import type { Plan } from './plan.ts'

/** `upg-YYYYMMDD-xxxx` */
export type UpgradeId = string

/** `host/version` of an external version. */
export type Pid = number | string

/** Whose doing it was. */
export type Actor = 'operator' | 'plan' | 'engine' | 'configuration' | 'fleet'

/** Why an upgrade went back or stands still. */
export interface Cause {
  readonly code:
    | 'ordered'
    | 'precheck-failed'
    | 'start-failed'
    | 'not-ready-in-time'
    | 'warm-failed'
    | 'candidate-lost'
    | 'verdict'
    | 'drain-failed'
    | 'stop-failed'
    | 'old-lost'
  /** One line for people. */
  readonly detail: string
  readonly by: Actor
}

/** Shift: is it moving by itself? */
export type ShiftMode =
  | { readonly is: 'running' }
  | { readonly is: 'paused'; readonly by: Actor }
  /** A verdict has sent the candidate back to header-only for this long; then its step begins again, in the mode that it was in. */
  | { readonly is: 'degraded'; readonly forMs: number; readonly wasPaused: boolean }

interface Common {
  readonly id: UpgradeId
  readonly from: VersionName
  readonly to: VersionName
  readonly plan: Plan
  /** `to` did not run before this upgrade: a rollback drains and stops it again. */
  readonly ours: boolean
  /** A fleet moves it: its steps end by the fleet's word alone. */
  readonly led: boolean
  /** Whom `from` was as it began: the pid of its process, `host/version` of an external one. */
  readonly oldPid: Pid | null
  /** Goes up by one with each move; an event of an earlier move is stale. */
  readonly seq: number
  /** ms since the epoch */
  readonly beganAt: number
  /** When the present phase began, ms since the epoch. */
  readonly phaseSince: number
  /** When the present place began, ms since the epoch: the step, its mode, the todo. What is awaited is awaited from here. */
  readonly since: number
}

/**
 *   shift:      precheck → start-new → health-check → warm → shift → (commit) → stop-old → done
 *   exclusive:  precheck → hold → stop-old → start-new → health-check → (commit) → release → done
 *   from each of those before commit, and from the stop-old after it by an order alone: rollback → rolled-back | failed
 */
export type Place =
  | { readonly phase: 'precheck' | 'start-new' | 'health-check' | 'warm' | 'hold' | 'release' | 'done' }
  /** `degrades`: how often it was degraded in this upgrade. */
  | { readonly phase: 'shift'; readonly step: number; readonly mode: ShiftMode; readonly degrades: number }
  | { readonly phase: 'stop-old'; readonly todo: 'drain' | 'stop'; readonly frozen: Cause | null }
  | { readonly phase: 'rollback'; readonly todo: 'restart-old' | 'release' | 'drain' | 'stop'; readonly why: Cause }
  | { readonly phase: 'rolled-back' | 'failed'; readonly why: Cause }
export type Upgrade = Common & Place
export type Phase = Upgrade['phase']
/** An upgrade that stands in this phase. */
export type In<P extends Phase> = Extract<Upgrade, { readonly phase: P }>

export type Order = 'promote' | 'pause' | 'resume' | 'rollback'

export type Event =
  | { readonly is: 'prechecked' }
  | { readonly is: 'precheck-failed'; readonly detail: string }
  /** The version's process runs, or it is external and needs no start. */
  | { readonly is: 'started' }
  | { readonly is: 'start-failed'; readonly detail: string }
  /** It serves: its probes pass. */
  | { readonly is: 'ready' }
  | { readonly is: 'not-ready-in-time'; readonly detail: string }
  | { readonly is: 'warmed' }
  /** Less is warm than has to be. */
  | { readonly is: 'warm-failed'; readonly detail: string }
  | { readonly is: 'held' }
  | { readonly is: 'released' }
  /** The present step's time and requests are there. */
  | { readonly is: 'step-met' }
  /** `step`: the one that a promote means; without it, whichever it is now. */
  | { readonly is: 'order'; readonly order: Order; readonly by: Actor; readonly step?: number | null }
  /** The analysis asks for it. `degrade` above `maxDegrades` is a rollback. */
  | { readonly is: 'verdict'; readonly asks: 'degrade'; readonly forMs: number; readonly maxDegrades: number; readonly detail: string }
  | { readonly is: 'verdict'; readonly asks: 'rollback'; readonly detail: string }
  /** The time of a degraded mode is over. */
  | { readonly is: 'restored' }
  /** The new version's process ended, or it has not been ready for too long. */
  | { readonly is: 'candidate-lost'; readonly detail: string }
  | { readonly is: 'drained' }
  | { readonly is: 'stopped' }
  /** What was being drained or stopped did not let itself be. */
  | { readonly is: 'stop-failed'; readonly detail: string }
  /** baton itself came back: the present phase's actions are to be done again. */
  | { readonly is: 'recovered' }

/** Every action may be done twice with the outcome of once: baton may die between the journal and the deed. */
export type Action =
  | { readonly do: 'precheck' }
  | { readonly do: 'start'; readonly version: VersionName }
  | { readonly do: 'await-ready'; readonly version: VersionName; readonly withinMs: number }
  | { readonly do: 'warm'; readonly version: VersionName; readonly from: VersionName }
  /** Lay roles and weight over the running snapshot, as `rolesOf` says of the upgrade. */
  | { readonly do: 'route' }
  /** Answer `restored` when this long has passed since `since`. */
  | { readonly do: 'await-restore'; readonly forMs: number }
  /** Answer `step-met` once both are there, the time counted from `since`; at once if both are 0. Not for a manual or paused step. */
  | { readonly do: 'await-step'; readonly forMs: number; readonly minRequests: number }
  | { readonly do: 'drain'; readonly version: VersionName }
  | { readonly do: 'undrain'; readonly version: VersionName }
  | { readonly do: 'stop'; readonly version: VersionName }
  | { readonly do: 'hold' }
  | { readonly do: 'release' }
  /** Write the receipt and tell the world. */
  | { readonly do: 'conclude' }

/** What an event makes of an upgrade; `next` is journaled before the actions are done. */
export interface Move {
  readonly next: Upgrade
  readonly actions: readonly Action[]
}

export function isOver({ phase }: Upgrade): boolean {
  return phase === 'done' || phase === 'rolled-back' || phase === 'failed'
}
