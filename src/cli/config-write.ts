/** What `config put` and `config rollback` share: asked of every instance, written over what was known, waited for. */
import { hostname, userInfo } from 'node:os'
import { parseDynamic } from '../config/parse.ts'
import { BatonError, exitCode, formatConfigFault } from '../errors.ts'
import { ConfigLog, type Written } from '../fleet/config-log.ts'
import { misfitsOf } from '../fleet/fits.ts'
import { readRoster } from '../fleet/roster.ts'
import type { Context } from './command.ts'
import { readDuration } from './duration-option.ts'
import type { Shared } from './etcd-option.ts'
import { authorText } from './revision.ts'
import { textDiff } from './text-diff.ts'
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

exit code: 0 written, or there already (with --wait: and taken by all); 1 unreachable; 2 usage, or a wrong configuration;
           4 somebody else was first, or an instance would refuse it, nothing written; 5 written, and not taken by all`

export interface Wish {
  readonly text: string
  /** For faults and the diff. */
  readonly source: string
  readonly expected: number | null
  readonly force: boolean
  readonly wait: boolean
  readonly timeout: string | undefined
  readonly json: boolean
}

/** @throws ConfigError, BatonError */
export async function writeConfig({ store, prefix, bootstrap }: Shared, wish: Wish, context: Context): Promise<number> {
  const { text, source, expected, json } = wish
  const timeoutMs = readDuration('--timeout', wish.timeout ?? '60s')
  const { instances } = await readRoster(store, prefix)
  // With nobody there, the file that named the etcd says what may be reached.
  if (instances.length === 0) parseDynamic(text, source, bootstrap)
  const misfits = misfitsOf(text, source, instances)
  const isWrong = instances.length > 0 && misfits.some((misfit) => misfit.instances.length === instances.length)
  if (misfits.length > 0 && (isWrong || !wish.force)) throw refusal(misfits, instances.length)
  const by = `${userInfo().username}@${hostname()}`
  const written = await new ConfigLog(store, prefix).write(text, { at: context.world.now(), by }, expected)
  if (written.is === 'lost') return lost(written, wish, context)
  if (!json)
    context.print(
      written.is === 'written' ? `revision ${written.revision}\n` : `nothing to do: revision ${written.revision} says the same\n`,
    )
  if (wish.wait) return await waitForFleet({ store, prefix, revision: written.revision, timeoutMs, json, outcome: written.is }, context)
  if (json) context.print(`${JSON.stringify(written)}\n`)
  return exitCode.done
}

function refusal(misfits: ReturnType<typeof misfitsOf>, count: number): BatonError {
  const lines = misfits.map(({ instances, fault }) => {
    const who = instances.length === count ? 'every instance' : instances.slice(0, 10).join(', ')
    return `${formatConfigFault(fault)} [${who}]`
  })
  return new BatonError('refused', `nothing written, since it would be refused:\n${lines.join('\n')}`)
}

function lost({ expected, theirs }: Extract<Written, { is: 'lost' }>, { text, source, json }: Wish, { print, complain }: Context): number {
  const name = theirs === null ? 'nothing' : `revision ${theirs.revision}`
  const diff = textDiff({ name, text: theirs?.text ?? '' }, { name: source, text })
  const found = theirs === null ? 'it was deleted' : `there is revision ${theirs.revision} (${authorText(theirs.author)})`
  if (json) print(`${JSON.stringify({ is: 'lost', expected, found: theirs?.revision ?? 0, diff })}\n`)
  else {
    complain(`baton: refused: expected revision ${expected}, and ${found}; nothing written\n`)
    print(diff)
  }
  return exitCode.refused
}
