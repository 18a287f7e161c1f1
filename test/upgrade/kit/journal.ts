/** baton killed between a record of its journal and the deed: it dies, and the ledger says what it would have said then. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../kit/until.ts'
import { killed } from './killed.ts'
import type { UpgradeRun } from './upgrade-run.ts'

export interface Forged {
  /** Laid over the upgrade's record. */
  readonly upgrade?: Readonly<Record<string, unknown>>
  /** Laid over the ledger. */
  readonly ledger?: Readonly<Record<string, unknown>>
}

/** SIGKILL to the generation; the keeper starts the next one, which finds the ledger and `meanwhile` so. When the dead one was gone. */
export async function killedAs(run: UpgradeRun, forged: Forged = {}, meanwhile?: () => Promise<unknown>): Promise<number> {
  const { pid } = (await run.status()).baton
  process.kill(run.baton.keeperPid, 'SIGSTOP')
  const diedAt = await killed(pid)
  forge(run, forged)
  await meanwhile?.()
  process.kill(run.baton.keeperPid, 'SIGCONT')
  return diedAt
}

/** SIGKILL to keeper and generation; whoever starts next finds the ledger so changed. When both were gone. */
export async function bothKilledAs(run: UpgradeRun, forged: Forged = {}): Promise<number> {
  const { baton, versions } = await run.status()
  const pids = versions.flatMap(({ process }) => (process?.pid ? [process.pid] : []))
  await knownOnDisk(run, pids)
  await killed(run.baton.keeperPid)
  const diedAt = await killed(baton.pid)
  forge(run, forged)
  return diedAt
}

/** An app that has just been started is written down a moment later. */
async function knownOnDisk(run: UpgradeRun, pids: readonly number[]): Promise<void> {
  const state = () => readFileSync(join(run.baton.dir, '.baton/state.json'), 'utf8')
  await until(
    () => pids.every((pid) => state().includes(`${pid}`)),
    () => `${pids}: ${state()}`,
  )
}

function forge(run: UpgradeRun, { upgrade = {}, ledger = {} }: Forged): void {
  const path = join(run.baton.dir, '.baton/journal/ledger.json')
  const present = JSON.parse(readFileSync(path, 'utf8')) as { upgrade: object }
  writeFileSync(path, JSON.stringify({ ...present, ...ledger, upgrade: { ...present.upgrade, ...upgrade } }))
}
