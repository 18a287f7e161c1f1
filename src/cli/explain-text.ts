/** A receipt for a terminal. Pure. */
import type { Latency, Receipt } from '../rollout/receipt.ts'
import type { WarmCoverage } from '../rollout/warmed.ts'
import { age } from './age.ts'
import { table } from './table.ts'

export function explainText(receipt: Receipt): string {
  const { moves, beganAt } = receipt
  const rows = moves.map(({ at, event, phase, place }) => [`+${age(at - beganAt)}`, event, phase, place])
  return `${headLines(receipt).join('\n')}\n\n${table(['AT', 'EVENT', 'PHASE', ''], rows)}`
}

function headLines({
  id,
  from,
  to,
  plan,
  result,
  why,
  beganAt,
  durationMs,
  exchanges,
  cut,
  failed,
  latency,
  warm,
}: Receipt): readonly string[] {
  const reason = why === null ? '' : `: ${why.detail} (${why.code}, by ${why.by})`
  const counts = Object.entries(exchanges).map(([version, count]) => `${version} ${count}`)
  const spans = Object.entries(latency).filter((span): span is [string, Latency] => span[1] !== null)
  return [
    `${id}  ${from} → ${to}  ${result}${reason}`,
    `began      ${new Date(beganAt).toISOString()}, took ${age(durationMs)}, plan ${plan.name} (${plan.strategy})`,
    `exchanges  ${counts.join(', ')}; cut ${known(cut)}, failed ${known(failed)}`,
    ...(spans.length === 0 ? [] : [`p99 (ms)   ${spans.map(([when, { p99 }]) => `${when} ${known(p99)}`).join(', ')}`]),
    ...(warm === null || warm === undefined ? [] : [`cache      ${warmText(warm)}`]),
  ]
}

/** A receipt of an older build has none. */
function warmText({ keys, coverage, predicted, tookMs }: WarmCoverage): string {
  const shares = [
    ...(coverage === null ? ['nothing was named that could be warmed'] : [`${Math.floor(coverage * 100)}% of what was named`]),
    ...(predicted === null ? [] : [`would answer ${Math.floor(predicted * 100)}% of reads`]),
  ]
  return `${keys} keys in ${age(tookMs)}, ${shares.join(', ')}`
}

function known(figure: number | null): string {
  return figure === null ? 'not measured' : String(Math.round(figure * 10) / 10)
}
