/** What `config put` and `config rollback` share: asked of every instance, written over what was known, waited for. */
import { checkDynamic } from '../config/parse.ts'
import { BatonError, exitCode } from '../errors.ts'
import { ConfigLog } from '../fleet/config-log.ts'
import { misfitsOf } from '../fleet/fits.ts'
import { readRoster } from '../fleet/roster.ts'
import type { Context } from './command.ts'
import { tellLost, tellMisfits } from './config-refusal.ts'
import { readDuration } from './duration-option.ts'
import type { Shared } from './etcd-option.ts'
import { operatorName } from './operator.ts'
import { readRevisionOption } from './revision.ts'
import { waitForFleet } from './wait-for-fleet.ts'

export const writeOptions = {
  'expect-revision': { type: 'string' },
  force: { type: 'boolean' },
  wait: { type: 'boolean' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
} as const

export const writeUsage = `  --expect-revision N write only over that revision; 0: only if there is none. Without it: over the one that is there now
  --force             write although an instance would refuse it; what has a fault of its own is never written
  --wait              until every instance that lives has it; told on the way
  --timeout D         of --wait; 60s without it
  --json              the outcome as JSON

exit code: 0 written, or there already (with --wait: and taken by all); 1 etcd cannot be reached, or denies it;
           2 usage, or a wrong configuration; 4 somebody else was first, or an instance would refuse it, nothing written;
           5 written, and not taken by all`

/** How to write, as the options say it. */
export interface WriteOrder {
  /** The revision to write over; null is the one that is there. */
  readonly expected: number | null
  readonly force: boolean
  readonly json: boolean
  /** How long to wait for the fleet; null is not at all. */
  readonly waitMs: number | null
}

/** What to write. */
export interface Proposal {
  readonly text: string
  /** For faults and the diff. */
  readonly source: string
}

interface WriteValues {
  readonly 'expect-revision'?: string | undefined
  readonly force?: boolean | undefined
  readonly wait?: boolean | undefined
  readonly timeout?: string | undefined
  readonly json?: boolean | undefined
}

/** @throws BatonError `usage` */
export function readWriteOrder(values: WriteValues): WriteOrder {
  const { force = false, wait = false, timeout, json = false } = values
  if (timeout !== undefined && !wait) throw new BatonError('usage', '--timeout is the limit of --wait, which is missing')
  const waitMs = wait ? readDuration('--timeout', timeout ?? '60s') : null
  return { expected: readRevisionOption('--expect-revision', values['expect-revision']), force, json, waitMs }
}

/** @throws ConfigError, BatonError */
export async function writeConfig(shared: Shared, proposal: Proposal, order: WriteOrder, context: Context): Promise<number> {
  const { text, source } = proposal
  checkDynamic(text, source)
  const misfits = misfitsOf(text, source, await askedOf(shared, context))
  if (misfits.length > 0 && !order.force) return tellMisfits(misfits, order.json, context)
  const { store, prefix } = shared
  const author = { at: context.world.now(), by: operatorName() }
  const written = await new ConfigLog(store, prefix).write(text, author, order.expected)
  if (written.is === 'lost') return tellLost(written, proposal, order.json, context)
  const { is: outcome, revision } = written
  if (!order.json) context.print(outcome === 'written' ? `revision ${revision}\n` : `nothing to do: revision ${revision} says the same\n`)
  if (order.waitMs !== null) return await waitForFleet({ ...shared, revision, outcome, timeoutMs: order.waitMs, json: order.json }, context)
  if (order.json) context.print(`${JSON.stringify(written)}\n`)
  return exitCode.done
}

/** Whose limits decide. With nobody there, the file that named the etcd says what may be reached. */
async function askedOf({ store, prefix, file, bootstrap }: Shared, { complain }: Context) {
  const { instances, unknown } = await readRoster(store, prefix)
  for (const key of unknown) complain(`baton: ${key} is a record that this build does not understand; that instance was not asked\n`)
  return instances.length > 0 ? instances : [{ id: file, limits: bootstrap }]
}
