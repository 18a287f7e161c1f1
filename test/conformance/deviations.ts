/**
 * What the node stack cannot keep, case by case: why, and what it does instead, which the case then asserts.
 * A case here that begins to keep its promise fails, so that the list stays as short as it can be.
 */
import type { Expected } from './case.ts'

export interface Deviation {
  readonly why: string
  /** In place of what the case expects. */
  readonly expect: Partial<Expected>
}

/** By `group: case`. */
export const deviations: Readonly<Record<string, Deviation>> = {}
