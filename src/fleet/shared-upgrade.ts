/**
 * The upgrade of a fleet: one key, moved only by compare-and-swap. Each instance walks its own upgrade up to where the goal stands, and
 * judges its own new version; what it says of that stands in its record. Whoever sees first that all are there moves the goal.
 */
import { isMapping } from '../config/mapping.ts'
import { areOrderly } from '../config/plan-check.ts'
import type { PlanSettings, PlanStepSettings } from '../config/settings.ts'
import { namePattern } from '../config/text.ts'
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
  /** The configuration when it began: its revision, and its `stable`. */
  readonly configRevision: number
  readonly configuredStable: VersionName
  /** That `stable` was edited after its end: this upgrade is no more the last word on who is stable, even if it comes to say the same again. */
  readonly isSuperseded: boolean
  readonly goal: Goal
  /** ms since the epoch */
  readonly beganAt: number
  readonly movedAt: number
}

const format = 1

export function writeShared(upgrade: SharedUpgrade): string {
  return JSON.stringify({ v: format, ...upgrade })
}

/**
 * Null where it is none that this build understands. Whoever may write etcd may have written it, so that it is held to what a configuration
 * may say: a figure that no clock can wait for, or that JSON cannot write again, must not reach the journal.
 */
export function readShared(text: string): SharedUpgrade | null {
  const value = parse(text)
  if (!isMapping(value) || value.v !== format) return null
  const { id, from, to, configRevision, configuredStable, isSuperseded, beganAt, movedAt, plan, goal } = value
  const isNamed = typeof id === 'string' && /^upg-\d{8}-[0-9a-z]{4}$/.test(id) && [from, to, configuredStable].every(isName) && from !== to
  const areTimes = [beganAt, movedAt].every((part) => isFigure(part, lastInstant))
  const isPlaced = isFigure(configRevision, Number.MAX_SAFE_INTEGER) && typeof isSuperseded === 'boolean'
  return isNamed && areTimes && isPlaced && isPlan(plan) && isGoal(goal, plan) ? (value as unknown as SharedUpgrade) : null
}

/** As it may stand in a goal: one line, and not a book. */
export function lineOf(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, maxLine)
}

const maxLine = 1_000
/** Of a Date. */
const lastInstant = 8.64e15
const dayMs = 86_400_000
const weekMs = 7 * dayMs

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // of another build, or of nobody: the same as none
    return null
  }
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && namePattern.test(value)
}

/** It is shown in terminals. */
function isLine(value: unknown): boolean {
  return typeof value === 'string' && value === lineOf(value)
}

function isFigure(value: unknown, max: number): boolean {
  return typeof value === 'number' && value >= 0 && value <= max
}

function isPlan(value: unknown): value is PlanSettings {
  if (!isMapping(value) || value.strategy !== 'shift' || !isName(value.name) || !Array.isArray(value.steps)) return false
  const { steps, readyTimeoutMs, retireAfterMs } = value
  if (!isFigure(readyTimeoutMs, dayMs) || !isFigure(retireAfterMs, weekMs)) return false
  return steps.length > 0 && steps.length <= 100 && steps.every(isStep) && areOrderly(steps)
}

function isStep(value: unknown): value is PlanStepSettings {
  if (!isMapping(value) || typeof value.manual !== 'boolean') return false
  const { is, weight, forMs, minRequests } = value
  return isWeightOf(is, weight) && isFigure(forMs, weekMs) && isFigure(minRequests, 1_000_000_000)
}

function isWeightOf(is: unknown, weight: unknown): boolean {
  if (is === 'header-only') return weight === 0
  return is === 'bake' ? weight === 100 : is === 'weight' && weight !== 0 && isFigure(weight, 100)
}

function isGoal(value: unknown, { steps }: PlanSettings): boolean {
  if (!isMapping(value)) return false
  if (value.is === 'step') return typeof value.step === 'number' && steps[value.step] !== undefined && typeof value.isPaused === 'boolean'
  return value.is === 'commit' || (value.is === 'rollback' && isLine(value.by) && isLine(value.why))
}
