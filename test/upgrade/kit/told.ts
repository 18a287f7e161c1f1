/** What baton tells of an upgrade afterwards. */
import assert from 'node:assert/strict'
import { runBaton } from '../../kit/baton.ts'
import { until } from '../../kit/until.ts'
import type { UpgradeRun } from './upgrade-run.ts'

export interface Receipt {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly result: string
  readonly phases: readonly { readonly phase: string }[]
  readonly exchanges: Readonly<Record<string, number>>
  readonly cut: number | null
  readonly failed: number | null
}

/** That of the newest upgrade, which has to have ended so: as history, receipt and its Markdown say alike. */
export async function assertTold(run: UpgradeRun, result: 'done' | 'rolled-back'): Promise<Receipt> {
  const { upgrades } = (await run.get('/v1/history')) as { upgrades: readonly { readonly id: string; readonly phase: string }[] }
  const [newest] = upgrades
  assert.equal(newest?.phase, result)
  const id = newest?.id ?? ''
  const receipt = await keptReceipt(run, id)
  assert.equal(receipt.result, result)
  const { code, stdout } = await runBaton(['explain', id, '--markdown', '--admin', run.baton.adminSocket])
  assert.equal(code, 0)
  assert.match(stdout, new RegExp(`^# ${id}: ${receipt.from} → ${receipt.to}, ${result}\n`))
  return receipt
}

/** It is written right after the upgrade has ended: figures tell it from one made of the journal alone. */
async function keptReceipt(run: UpgradeRun, id: string): Promise<Receipt> {
  let receipt: Receipt | null = null
  await until(
    async () => {
      receipt = ((await run.get(`/v1/history/${id}`)) as { receipt: Receipt | null }).receipt
      return receipt !== null && receipt.cut !== null
    },
    () => JSON.stringify(receipt),
  )
  return receipt as unknown as Receipt
}
