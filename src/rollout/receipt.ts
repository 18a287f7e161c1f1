/** What remains of an upgrade: what was promised, what happened, and every move with what made it. */
import type { VersionName } from '../routing/route.ts'
import type { JournalEntry } from './journal.ts'
import type { Cause, Phase, UpgradeId } from './upgrade.ts'
import type { Verdict } from './verdict.ts'
import type { WarmCoverage } from './warmed.ts'

/** ms; null where it was not measured. */
export interface Latency {
  readonly p50: number | null
  readonly p99: number | null
}

/** What the journal does not know; null where it was not measured. */
export interface Measured {
  /** Exchanges that a drain ended at its deadline. */
  readonly cut: number | null
  /** Exchanges that baton could not answer. */
  readonly failed: number | null
  readonly latency: { readonly before: Latency | null; readonly during: Latency | null; readonly after: Latency | null }
  /** Of the new version's cache; null too where it has none. */
  readonly warm: WarmCoverage | null
}

export const unmeasured: Measured = { cut: null, failed: null, latency: { before: null, during: null, after: null }, warm: null }

export interface ReceiptPhase {
  readonly phase: Phase
  readonly beganAt: number
  readonly durationMs: number
}

export interface ReceiptMove {
  readonly at: number
  readonly seq: number
  /** Where the move led. */
  readonly phase: Phase
  /** `10% (step 2 of 5)`, `paused`, `frozen: …`; of a verdict what it says; '' where the phase says it all. */
  readonly place: string
  readonly event: string
}

export interface Receipt {
  readonly v: 1
  readonly id: UpgradeId
  readonly from: VersionName
  readonly to: VersionName
  readonly plan: { readonly name: string; readonly strategy: 'shift' | 'exclusive' }
  readonly result: 'done' | 'rolled-back' | 'failed' | 'running'
  readonly why: Cause | null
  /** The one that took the upgrade back, with its numbers; null if none did, or it was not kept. */
  readonly verdict: Verdict | null
  /** ms since the epoch */
  readonly beganAt: number
  /** ms since the epoch; null while it runs. */
  readonly endedAt: number | null
  readonly durationMs: number
  readonly phases: readonly ReceiptPhase[]
  /** That each version ended from the first move to the last. */
  readonly exchanges: Readonly<Record<VersionName, number>>
  readonly cut: number | null
  readonly failed: number | null
  readonly latency: Measured['latency']
  readonly warm: WarmCoverage | null
  readonly moves: readonly ReceiptMove[]
}

/** Null if there are no entries. */
export function receiptOf(entries: readonly JournalEntry[], measured: Measured): Receipt | null {
  const last = entries.at(-1)
  if (last === undefined) return null
  const { upgrade, at } = last
  const { id, from, to, plan, beganAt, phase } = upgrade
  const result = phase === 'done' || phase === 'rolled-back' || phase === 'failed' ? phase : 'running'
  return {
    v: 1,
    id,
    from,
    to,
    plan: { name: plan.name, strategy: plan.strategy },
    result,
    why: 'why' in upgrade ? upgrade.why : null,
    verdict: 'why' in upgrade && upgrade.why.code === 'verdict' ? lastVerdict(entries) : null,
    beganAt,
    endedAt: result === 'running' ? null : at,
    durationMs: at - beganAt,
    phases: phasesOf(entries),
    exchanges: { [from]: exchangesOf(entries, from), [to]: exchangesOf(entries, to) },
    cut: measured.cut,
    failed: measured.failed,
    latency: measured.latency,
    warm: measured.warm,
    moves: entries.map(moveOf),
  }
}

function lastVerdict(entries: readonly JournalEntry[]): Verdict | null {
  return entries.findLast(({ evidence }) => evidence !== null)?.evidence?.verdict ?? null
}

/** Each phase from its own beginning to that of the next, and not when the journal had it, for a disk takes its time; the ends are none. */
function phasesOf(entries: readonly JournalEntry[]): readonly ReceiptPhase[] {
  const begins = entries.filter(({ phase }, at) => phase !== entries[at - 1]?.phase)
  const end = entries.at(-1)?.at ?? 0
  const phases = begins.map(({ phase, upgrade: { phaseSince: beganAt } }, index) => {
    const endedAt = begins[index + 1]?.upgrade.phaseSince ?? end
    return { phase, beganAt, durationMs: endedAt - beganAt }
  })
  return phases.filter(({ phase }) => phase !== 'done' && phase !== 'rolled-back' && phase !== 'failed')
}

/** The counts begin anew with each generation of baton: one that went down counts from nothing. */
function exchangesOf(entries: readonly JournalEntry[], version: VersionName): number {
  const counts = entries.map(({ requests }) => requests[version] ?? 0)
  return counts.slice(1).reduce((sum, count, at) => {
    const before = counts[at] ?? 0
    return sum + (count >= before ? count - before : count)
  }, 0)
}

function moveOf({ at, seq, phase, event, upgrade, evidence }: JournalEntry): ReceiptMove {
  return { at, seq, phase, place: evidence === null ? placeText(upgrade) : verdictText(evidence.verdict), event }
}

function verdictText({ is, level, why }: Verdict): string {
  return `${is}${level === null ? '' : `, ${level}`}: ${why}`
}

function placeText(upgrade: JournalEntry['upgrade']): string {
  switch (upgrade.phase) {
    case 'shift': {
      const { steps } = upgrade.plan
      const present = steps[upgrade.step]
      const what = present?.is === 'weight' ? `${present.weight}%` : (present?.is ?? '')
      return `${what} (step ${upgrade.step + 1} of ${steps.length})${upgrade.mode.is === 'running' ? '' : `, ${upgrade.mode.is}`}`
    }
    case 'stop-old':
      return upgrade.frozen === null ? upgrade.todo : `${upgrade.todo}, frozen: ${upgrade.frozen.detail}`
    case 'rollback':
      return `${upgrade.todo}: ${upgrade.why.detail}`
    case 'rolled-back':
    case 'failed':
      return upgrade.why.detail
    default:
      return ''
  }
}
