/** `baton explain ID`: all of one upgrade, from its receipt and from what its verdicts were made from. */
import { BatonError, exitCode } from '../errors.ts'
import type { Policy } from '../rollout/policy.ts'
import type { Receipt } from '../rollout/receipt.ts'
import { receiptMarkdown } from '../rollout/receipt-markdown.ts'
import { adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { notUnderstood, part } from './answer.ts'
import { command as define } from './command.ts'
import { evidenceIn, evidenceText, replayText } from './evidence-text.ts'
import { explainText } from './explain-text.ts'

export const command = define({
  usage: `usage: baton explain ID [--json | --markdown | --policy FILE]

Tells all of one upgrade: its result, its figures, every move with what made it, and every verdict with its numbers.
"baton history" lists the ids.

  --json          the answer of the admin API: the receipt, and the journal's entries
  --markdown      the receipt as Markdown
  --policy FILE   what the rollout.analysis of FILE would have said: each verdict then and now
${adminUsage}

exit code: 0 shown, 1 unreachable, 2 usage, or no such upgrade`,
  options: { ...adminOptions, json: { type: 'boolean' }, markdown: { type: 'boolean' }, policy: { type: 'string' } },
  positionals: ['ID'],
  async run(values, [id = ''], { world, print }) {
    const { json, markdown, policy } = values
    if ([json, markdown, policy].filter((given) => given !== undefined).length > 1) {
      throw new BatonError('usage', '--json and --markdown exclude each other, and --policy both')
    }
    // loads the configuration's code only when a file is asked
    const judge = policy === undefined ? null : await (await import('./read-policy.ts')).readPolicy(policy)
    const answer = await ask(adminAddress(values, world), { method: 'GET', path: `/v1/history/${encodeURIComponent(id)}` })
    if (json) print(`${JSON.stringify(answer)}\n`)
    else if (judge !== null) print(replayed(answer, judge))
    else print(markdown ? receiptMarkdown(receiptIn(answer)) : told(answer))
    return exitCode.done
  },
})

function told(answer: unknown): string {
  const receipt = receiptIn(answer)
  const kept = evidenceIn(entriesIn(answer))
  return `${explainText(receipt)}${kept.length === 0 ? '' : `\n${evidenceText(kept, receipt.beganAt)}`}`
}

function replayed(answer: unknown, policy: Policy): string {
  const { id, beganAt } = receiptIn(answer)
  const kept = evidenceIn(entriesIn(answer))
  return kept.length === 0 ? `no verdict of ${id} was kept\n` : replayText(kept, policy, beganAt)
}

function entriesIn(answer: unknown): readonly unknown[] {
  const entries = part(answer, 'entries')
  return Array.isArray(entries) ? entries : []
}

function receiptIn(answer: unknown): Receipt {
  const receipt = part(answer, 'receipt')
  if (part(receipt, 'v') === 1) return receipt as Receipt
  throw notUnderstood('receipt')
}
