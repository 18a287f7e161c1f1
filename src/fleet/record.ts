/** What an instance tells the others of itself, as `PREFIX/instances/ID`. */

import { readLimits } from '../config/limits.ts'
import { isMapping } from '../config/mapping.ts'
import type { Limits } from '../config/settings.ts'
import type { VersionName } from '../routing/route.ts'

/** Where an instance's own upgrade stands. */
export interface InstanceUpgrade {
  readonly id: string
  readonly to: VersionName
  readonly phase: string
  /** While traffic shifts: the plan's step, counted from 0. */
  readonly step: number | null
  /** Percent of stable's traffic that goes to the new version now. */
  readonly weight: number
  /** The step's time has passed, its requests were served, and the verdict lets it go on. */
  readonly isMet: boolean
  /** It waits for a person. */
  readonly isFrozen: boolean
  /** Why it went back or is frozen. */
  readonly why: string | null
}

export interface InstanceRecord {
  readonly id: string
  /** The build. */
  readonly build: string
  readonly pid: number
  /** ms since the epoch */
  readonly startedAt: number
  /** Of the configuration in etcd that runs here; 0 is none yet. */
  readonly revision: number
  readonly hash: string
  /** The configuration of etcd that was refused here. */
  readonly refused: { readonly revision: number; readonly faults: readonly string[] } | null
  /** Why what runs may not be what etcd has. */
  readonly stale: string | null
  readonly roles: { readonly stable: VersionName; readonly candidate: VersionName | null }
  /** Under way, or the last one. */
  readonly upgrade: InstanceUpgrade | null
  readonly ready: boolean
  readonly whyNotReady: string | null
  /** What it would take. */
  readonly limits: Limits
}

const format = 1

export function writeRecord(record: InstanceRecord): string {
  return JSON.stringify({ v: format, ...record })
}

/** Null where it is none that this build understands. */
export function readRecord(text: string): InstanceRecord | null {
  const value = parse(text)
  if (!isMapping(value) || value.v !== format || readLimits(value.limits) === null) return null
  const { v: _format, ...record } = value
  const { id, build, pid, startedAt, revision, hash, refused, stale, roles, upgrade, ready, whyNotReady } = record
  const areTexts = [id, build, hash].every((part) => typeof part === 'string')
  const areNumbers = [pid, startedAt, revision].every((part) => typeof part === 'number')
  const isTold = isRefusal(refused) && isText(stale) && isText(whyNotReady) && typeof ready === 'boolean'
  const isPlaced = isMapping(roles) && typeof roles.stable === 'string' && isText(roles.candidate) && isUpgrade(upgrade)
  return areTexts && areNumbers && isTold && isPlaced ? (record as unknown as InstanceRecord) : null
}

/** Its texts end up on terminals, and whoever may write the key has written them. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_, value: unknown) => (typeof value === 'string' ? value.replace(/\p{Cc}+/gu, ' ') : value))
  } catch {
    // of another build, or of nobody: the same as none
    return null
  }
}

function isText(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function isRefusal(value: unknown): boolean {
  if (value === null) return true
  return (
    isMapping(value) &&
    typeof value.revision === 'number' &&
    Array.isArray(value.faults) &&
    value.faults.every((fault) => typeof fault === 'string')
  )
}

function isUpgrade(value: unknown): boolean {
  if (value === null) return true
  if (!isMapping(value)) return false
  const { id, to, phase, step, weight, isMet, isFrozen, why } = value
  const areTexts = [id, to, phase].every((part) => typeof part === 'string')
  const isPlaced = (step === null || typeof step === 'number') && typeof weight === 'number'
  return areTexts && isPlaced && isText(why) && typeof isMet === 'boolean' && typeof isFrozen === 'boolean'
}
