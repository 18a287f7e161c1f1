/** `baton explain ID`: all of one upgrade, from its receipt. */
import { BatonError, exitCode } from '../errors.ts'
import type { Receipt } from '../rollout/receipt.ts'
import { receiptMarkdown } from '../rollout/receipt-markdown.ts'
import { adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { command as define } from './command.ts'
import { explainText } from './explain-text.ts'

export const command = define({
  usage: `usage: baton explain ID [--json | --markdown]

Tells all of one upgrade: its result, its figures, and every move with what made it. "baton history" lists the ids.

  --json       the answer of the admin API: the receipt, and the journal's entries
  --markdown   the receipt as Markdown
${adminUsage}

exit code: 0 shown, 1 unreachable, 2 usage, or no such upgrade`,
  options: { ...adminOptions, json: { type: 'boolean' }, markdown: { type: 'boolean' } },
  positionals: ['ID'],
  async run(values, [id = ''], { world, print }) {
    if (values.json && values.markdown) throw new BatonError('usage', '--json and --markdown exclude each other')
    const answer = await ask(adminAddress(values, world), { method: 'GET', path: `/v1/history/${encodeURIComponent(id)}` })
    if (values.json) print(`${JSON.stringify(answer)}\n`)
    else print(values.markdown ? receiptMarkdown(receiptIn(answer)) : explainText(receiptIn(answer)))
    return exitCode.done
  },
})

function receiptIn(answer: unknown): Receipt {
  const receipt = typeof answer === 'object' && answer !== null && 'receipt' in answer ? answer.receipt : null
  const isReceipt = typeof receipt === 'object' && receipt !== null && 'v' in receipt && receipt.v === 1
  if (isReceipt) return receipt as Receipt
  throw new BatonError('unreachable', 'what answers there gives no receipt that this command understands; is it another version of baton?')
}
