/** What a verdict was made from: enough to make it again, under the same policy or another. Plain data; it goes into the journal. */
import type { Measurements } from './measurements.ts'
import type { Policy } from './policy.ts'
import { evaluate, type Verdict, type VerdictMemory } from './verdict.ts'

export interface Evidence {
  readonly policy: Policy
  readonly measurements: Measurements
  /** As it was before the verdict. */
  readonly memory: VerdictMemory
  readonly verdict: Verdict
}

/** The verdict that another policy would have come to. */
export function judgeAgain({ measurements, memory }: Evidence, policy: Policy): Verdict {
  return evaluate(policy, measurements, memory).verdict
}

/** Two looks that say the same to a person: no new line in the journal. */
export function isSameVerdict(one: Verdict | null, other: Verdict): boolean {
  if (one === null) return other.is === 'inconclusive' && other.level === null
  const states = ({ signals }: Verdict) => signals.map(({ is }) => is).join()
  return one.is === other.is && one.level === other.level && one.hardStop?.is === other.hardStop?.is && states(one) === states(other)
}
