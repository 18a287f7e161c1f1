/** What baton tells of an upgrade afterwards. */
import assert from 'node:assert/strict'
import type { Receipt } from '../../../src/rollout/receipt.ts'
import { runBaton } from '../../kit/baton.ts'
import { receiptOf } from '../../kit/observed.ts'
import type { UpgradeRun } from './upgrade-run.ts'

/** That of the newest upgrade, which has to have ended so: as history, receipt and its Markdown say alike. */
export async function assertTold(run: UpgradeRun, result: 'done' | 'rolled-back'): Promise<Receipt> {
  const { upgrades } = (await run.get('/v1/history')) as { upgrades: readonly { readonly id: string; readonly phase: string }[] }
  const [newest] = upgrades
  assert.equal(newest?.phase, result)
  const id = newest?.id ?? ''
  const receipt = await receiptOf(run.baton, id)
  assert.equal(receipt.result, result)
  const { code, stdout } = await runBaton(['explain', id, '--markdown', '--admin', run.baton.adminSocket])
  assert.equal(code, 0)
  assert.match(stdout, new RegExp(`^# ${id}: ${receipt.from} → ${receipt.to}, ${result}\n`))
  return receipt
}
