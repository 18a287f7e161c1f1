/** What the verdicts of an upgrade were made from, and what another policy would have said of it. Pure. */
import { type Evidence, judgeAgain } from '../rollout/evidence.ts'
import type { JournalEntry } from '../rollout/journal.ts'
import type { Policy } from '../rollout/policy.ts'
import type { SignalVerdict, Verdict } from '../rollout/verdict.ts'
import { age } from './age.ts'
import { hasAll, part } from './answer.ts'
import { table } from './table.ts'
import { figureText, isVerdict, levelText } from './verdict-text.ts'

export interface Kept {
  /** ms since the epoch */
  readonly at: number
  readonly evidence: Evidence
}

/** Of the entries of a journal, as the API gives them; what another build has kept in another form is passed over. */
export function evidenceIn(entries: readonly unknown[]): readonly Kept[] {
  return entries.flatMap((entry) => {
    const { at, evidence } = entry as Partial<JournalEntry>
    return typeof at === 'number' && isEvidence(evidence) ? [{ at, evidence }] : []
  })
}

function isEvidence(value: unknown): value is Evidence {
  return hasAll(value, ['policy', 'measurements', 'memory', 'verdict']) && isVerdict(part(value, 'verdict'))
}

/** A row for each verdict that was another than the one before. */
export function evidenceText(kept: readonly Kept[], beganAt: number): string {
  const signals = kept[0]?.evidence.verdict.signals ?? []
  const head = ['AT', 'VERDICT', ...signals.map(({ signal }) => signal), 'REQUESTS', 'WHY']
  const rows = kept.map(({ at, evidence: { verdict, measurements } }) => [
    `+${age(at - beganAt)}`,
    asks(verdict),
    ...verdict.signals.map(signalCell),
    `${measurements.candidate.traffic.requests} / ${measurements.stable.same.requests}`,
    verdict.why,
  ])
  return table(head, rows)
}

/** Then and now side by side. A breach is as old as it was then: each verdict is made again from what it was made from. */
export function replayText(kept: readonly Kept[], policy: Policy, beganAt: number): string {
  const judged = kept.map(({ at, evidence }) => ({ at, before: evidence.verdict, after: judgeAgain(evidence, policy) }))
  const rows = judged.map(({ at, before, after }) => [
    `+${age(at - beganAt)}`,
    asks(before),
    asks(after),
    asks(before) === asks(after) ? '' : 'differs',
    `${before.why}${before.why === after.why ? '' : `  →  ${after.why}`}`,
  ])
  const differ = judged.filter(({ before, after }) => asks(before) !== asks(after)).length
  return `${table(['AT', 'THEN', 'NOW', '', 'WHY'], rows)}\n${differ} of ${judged.length} verdicts differ\n`
}

function asks({ is, level }: Verdict): string {
  return level === null ? is : `${is}, ${levelText(level)}`
}

/** `2.1% of 0.3%, breach` */
function signalCell(one: SignalVerdict): string {
  if (one.is === 'absent') return 'absent'
  return `${figureText(one, one.observed)} of ${figureText(one, one.limit)}, ${one.is}${one.dryRun ? ' (dry run)' : ''}`
}
