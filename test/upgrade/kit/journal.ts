/** baton killed between a record of its journal and the deed: the generation dies, and the ledger says what it would have said then. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { killed } from './killed.ts'
import type { UpgradeRun } from './upgrade-run.ts'

export interface Forged {
  /** Laid over the upgrade's record. */
  readonly upgrade?: Readonly<Record<string, unknown>>
  /** Laid over the ledger. */
  readonly ledger?: Readonly<Record<string, unknown>>
}

/** SIGKILL to the generation; the keeper starts the next one, which finds the ledger so changed. When the dead one was gone. */
export async function killedAs(run: UpgradeRun, forged: Forged = {}): Promise<number> {
  const { pid } = (await run.status()).baton
  process.kill(run.baton.keeperPid, 'SIGSTOP')
  const diedAt = await killed(pid)
  const path = join(run.baton.dir, '.baton/journal/ledger.json')
  const ledger = JSON.parse(readFileSync(path, 'utf8')) as { upgrade: object }
  writeFileSync(path, JSON.stringify({ ...ledger, ...forged.ledger, upgrade: { ...ledger.upgrade, ...forged.upgrade } }))
  process.kill(run.baton.keeperPid, 'SIGCONT')
  return diedAt
}
