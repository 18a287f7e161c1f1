/** `baton history`: the upgrades so far. */
import { exitCode } from '../errors.ts'
import type { UpgradeSummary } from '../rollout/journal.ts'
import { adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { age } from './age.ts'
import { notUnderstood, part } from './answer.ts'
import { command as define } from './command.ts'
import { table } from './table.ts'

export const command = define({
  usage: `usage: baton history [--json]

Lists the upgrades so far, the newest first. "baton explain ID" tells all of one.

  --json    the answer of the admin API
${adminUsage}

exit code: 0 shown, 1 unreachable, 2 usage`,
  options: { ...adminOptions, json: { type: 'boolean' } },
  positionals: [],
  async run(values, _positionals, { world, print }) {
    const answer = await ask(adminAddress(values, world), { method: 'GET', path: '/v1/history' })
    print(values.json ? `${JSON.stringify(answer)}\n` : historyText(upgradesIn(answer)))
    return exitCode.done
  },
})

function upgradesIn(answer: unknown): readonly UpgradeSummary[] {
  const upgrades = part(answer, 'upgrades')
  if (Array.isArray(upgrades)) return upgrades
  throw notUnderstood('history')
}

export function historyText(upgrades: readonly UpgradeSummary[]): string {
  if (upgrades.length === 0) return 'no upgrade yet\n'
  const rows = upgrades.map(({ id, from, to, plan, phase, why, beganAt, at }) => [
    id,
    from,
    to,
    plan,
    phase,
    new Date(beganAt).toISOString(),
    age(at - beganAt),
    why?.detail ?? '',
  ])
  return table(['UPGRADE', 'FROM', 'TO', 'PLAN', 'PHASE', 'BEGAN', 'TOOK', 'WHY'], rows)
}
