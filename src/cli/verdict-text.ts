/** A verdict for people: its signals as a table, what it says, and what happens next and when. Pure. */
import { percent } from '../rollout/signals.ts'
import type { In, Upgrade } from '../rollout/upgrade.ts'
import type { Level, SignalVerdict, Verdict } from '../rollout/verdict.ts'
import { age } from './age.ts'
import { hasAll, part } from './answer.ts'
import { table } from './table.ts'
import { stepText, timeLeft } from './upgrade-text.ts'

const levelWords: Readonly<Record<Level, string>> = { L3: 'alert', L2: 'degrade', L1: 'rollback' }

/** An answer of this shape; another one comes from another version of baton, or there was nothing to judge yet. */
export function isVerdict(answer: unknown): answer is Verdict {
  return hasAll(answer, ['at', 'is', 'level', 'signals', 'why', 'next'])
}

/** `L2 (degrade)` */
export function levelText(level: Level): string {
  return `${level} (${levelWords[level]})`
}

/** `breach, L3 (alert): errorRate: 2.1% of 97 requests failed, above 0.3% (stable 0%)` */
export function verdictLine({ is, level, why }: Verdict): string {
  return `${is}${level === null ? '' : `, ${levelText(level)}`}: ${why}`
}

/** Of an upgrade in shift. */
export function verdictText(verdict: Verdict, upgrade: In<'shift'>, now: number): string {
  const head = ['SIGNAL', upgrade.to, 'LIMIT', 'VERDICT', 'IN BREACH FOR', 'COUNTS', 'WHY']
  const rows = verdict.signals.map((one) => [
    one.signal,
    figureText(one, one.observed),
    figureText(one, one.limit),
    one.is,
    one.breachForMs === null ? '-' : age(one.breachForMs + now - verdict.at),
    countsText(one),
    one.why,
  ])
  return `${table(head, [...rows, ...perRequestRows(verdict, upgrade)])}verdict ${verdictLine(verdict)}\nnext    ${nextText(verdict, upgrade, now)}\n`
}

/** Of both versions; none where it is known of neither. */
function perRequestRows(verdict: Verdict, { from }: Upgrade): readonly (readonly string[])[] {
  const [candidate, stable] = [perRequestText(verdict, 'candidate'), perRequestText(verdict, 'stable')]
  if (candidate === '-' && stable === '-') return []
  return [['cpu/request', candidate, '-', '-', '-', 'no', `reported only; ${from} ${stable}`]]
}

/** An older baton does not tell it. */
function perRequestText(verdict: Verdict, role: keyof Verdict['cpuPerRequestMs']): string {
  const value = part(part(verdict, 'cpuPerRequestMs'), role)
  return figureText({ signal: 'latency' }, typeof value === 'number' ? value : null)
}

/** `0.3%`, `212ms`; `-` where it is not known. */
export function figureText({ signal }: Pick<SignalVerdict, 'signal'>, value: number | null): string {
  if (value === null) return '-'
  return signal === 'latency' ? `${Number(value.toPrecision(3))}ms` : percent(value)
}

/** Whether its breach has a say. */
function countsText({ counts, dryRun, required, is }: SignalVerdict): string {
  if (counts) return 'required'
  if (dryRun) return 'dry run'
  return required && is === 'absent' ? 'absent' : 'no'
}

/** What happens if nothing changes, and when. */
export function nextText(verdict: Verdict, upgrade: In<'shift'>, now: number): string {
  const { level, next } = verdict
  if (level === 'L1') return 'rollback, now'
  if (upgrade.mode.is === 'degraded') return timeLeft(upgrade, now)
  if (next !== null) return `${levelText(next.level)} in ${age(verdict.at + next.inMs - now)} if the breach lasts; the plan waits`
  if (upgrade.mode.is === 'paused') return 'paused, until "baton resume" or "baton promote"'
  return onwardText(verdict, upgrade, now)
}

function onwardText({ noData, mayAdvance }: Verdict, upgrade: In<'shift'>, now: number): string {
  const left = timeLeft(upgrade, now)
  if (noData === 'rollback') return `rollback if nothing is measured; ${left}`
  if (!mayAdvance) return 'the plan waits for something to be measured'
  const following = upgrade.step + 1
  const isLast = following >= upgrade.plan.steps.length
  return `${isLast ? 'commit' : stepText(upgrade.plan, following)}; ${left} of this step`
}

/** The last verdict of an upgrade under way, as the status tells it; null outside `shift`. */
export function verdictOn(upgrade: Upgrade, analysis: unknown): Verdict | null {
  return upgrade.phase === 'shift' && isVerdict(analysis) ? analysis : null
}
