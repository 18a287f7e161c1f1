/**
 * The upgrade of a fleet: one key, moved only by compare-and-swap. Each instance walks its own upgrade up to where the goal stands, and
 * judges its own new version; what it says of that stands in its record. Whoever sees first that all are there moves the goal.
 */
import { isMapping } from '../config/mapping.ts'
import type { PlanSettings } from '../config/settings.ts'
import type { VersionName } from '../routing/route.ts'

export type Goal =
  /** Of the plan, counted from 0. `isPaused`: it goes on by an order alone. */
  | { readonly is: 'step'; readonly step: number; readonly isPaused: boolean }
  /** Nothing goes back by itself any more. */
  | { readonly is: 'commit' }
  | {
      readonly is: 'rollback'
      /** The instance, or the person, that demanded it. */
      readonly by: string
      readonly why: string
      /** The verdict's own figures, where one demanded it. */
      readonly evidence: unknown
    }

export interface SharedUpgrade {
  /** `upg-YYYYMMDD-xxxx` */
  readonly id: string
  readonly from: VersionName
  readonly to: VersionName
  readonly plan: PlanSettings
  /** The configuration's `stable` when it began: only while it says the same is this upgrade the last word on who is stable. */
  readonly configuredStable: VersionName
  readonly goal: Goal
  /** ms since the epoch */
  readonly beganAt: number
  readonly movedAt: number
}

const format = 1

export function writeShared(upgrade: SharedUpgrade): string {
  return JSON.stringify({ v: format, ...upgrade })
}

/** Null where it is none that this build understands. */
export function readShared(text: string): SharedUpgrade | null {
  const value = parse(text)
  if (!isMapping(value) || value.v !== format) return null
  const { id, from, to, configuredStable, beganAt, movedAt, plan, goal } = value
  const areTexts = [from, to, configuredStable].every((part) => typeof part === 'string')
  const isNamed = typeof id === 'string' && /^upg-\d{8}-[0-9a-z]{4}$/.test(id)
  const areTimes = typeof beganAt === 'number' && typeof movedAt === 'number'
  return areTexts && isNamed && areTimes && isPlan(plan) && isGoal(goal, plan) ? (value as unknown as SharedUpgrade) : null
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // of another build, or of nobody: the same as none
    return null
  }
}

function isPlan(value: unknown): value is PlanSettings {
  if (!isMapping(value) || value.strategy !== 'shift' || typeof value.name !== 'string' || !Array.isArray(value.steps)) return false
  const areTimes = [value.readyTimeoutMs, value.retireAfterMs].every((part) => typeof part === 'number' && part >= 0)
  return areTimes && value.steps.length > 0 && value.steps.length <= 1_000 && value.steps.every(isStep)
}

function isStep(value: unknown): boolean {
  if (!isMapping(value) || typeof value.manual !== 'boolean') return false
  const isKind = value.is === 'header-only' || value.is === 'weight' || value.is === 'bake'
  return isKind && [value.weight, value.forMs, value.minRequests].every((part) => typeof part === 'number' && part >= 0)
}

function isGoal(value: unknown, { steps }: PlanSettings): boolean {
  if (!isMapping(value)) return false
  if (value.is === 'step') return steps[Number(value.step)] !== undefined && typeof value.isPaused === 'boolean'
  return value.is === 'commit' || (value.is === 'rollback' && typeof value.by === 'string' && typeof value.why === 'string')
}
